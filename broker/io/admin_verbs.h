/* admin_verbs.h - verbs of administrators that are not in admin.c; those of admin_change.h apart
 *
 * Each writes one msgpack value as its answer and returns DROVER_OK, or sets the request's error and returns its
 * status; what it wrote is dropped then.
 */
#ifndef DROVER_IO_ADMIN_VERBS_H
#define DROVER_IO_ADMIN_VERBS_H

#include "broker/io/request.h"

/* {service?}: the broker, the service or all of them, and their workers. Errors: NOT_FOUND. */
DROVER_MUST_CHECK enum drover_status verb_status(const struct request *request);

/* {service}: what the functions of host.h of the same names do; {}. Errors: those of request_need_service() and of the
 * host; restart also those of the lock file. */
DROVER_MUST_CHECK enum drover_status verb_restart(const struct request *request);
DROVER_MUST_CHECK enum drover_status verb_drain(const struct request *request);
DROVER_MUST_CHECK enum drover_status verb_rollback(const struct request *request);

/* {service, artefact?}: the same; the first digits of the artefact will do. Errors: also INVALID_ARGUMENT (too few of
 * them), FAILED_PRECONDITION (they are not those of one artefact in quarantine). */
DROVER_MUST_CHECK enum drover_status verb_unquarantine(const struct request *request);

#endif
