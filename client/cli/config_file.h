/* config_file.h - a configuration file from disk, for `check` and `explain` */
#ifndef DROVER_CLI_CONFIG_FILE_H
#define DROVER_CLI_CONFIG_FILE_H

#include "common/config/config.h"
#include "common/config/reference.h"

/* The real file system, for references. */
extern const struct reference_disk config_file_disk;

/* Read and parse a file. On DROVER_OK stores the configuration; else `*ret_messages` says what is wrong, in at least
 * one line. `*ret_messages` is always set up: release it with config_messages_done(). */
DROVER_MUST_CHECK enum drover_status config_file_load(const char *path, struct config **ret_config,
                                                      struct config_messages *ret_messages);

#endif
