/* files.h - the files that a driver's settings name: its worker may read them without a grant of their own */
#ifndef DROVER_LOAD_FILES_H
#define DROVER_LOAD_FILES_H

#include "common/config/config.h"

/* Fill in `setting_files` of `service`: the texts among its settings that are paths of existing regular files, taken
 * from `directory` where they are relative, since its worker runs there. Those below what is granted for reading or
 * writing are left out. Errors: RESOURCE_EXHAUSTED, FAILED_PRECONDITION (more than CONFIG_FILES_MAX). */
DROVER_MUST_CHECK enum drover_status files_find(struct config_service *service, const char *directory,
                                                struct drover_error *error);

#endif
