/* test_exports.c - libdrover-worker has every function of worker.h, value.h and status.h */
#include <criterion/criterion.h>

#include <drover/worker.h>

/* A driver links nothing but this library: were one missing, this file would not link. */
static void (*const functions[])(void) = {
#define FUNCTION(name) (void (*)(void))(name)
    FUNCTION(drover_call_cancelled),    FUNCTION(drover_call_fail),
    FUNCTION(drover_call_metadata),     FUNCTION(drover_call_method),
    FUNCTION(drover_call_reply),        FUNCTION(drover_call_request),
    FUNCTION(drover_call_service),      FUNCTION(drover_call_state),
    FUNCTION(drover_call_time_left_ms), FUNCTION(drover_call_worker),
    FUNCTION(drover_document_free),     FUNCTION(drover_document_parse),
    FUNCTION(drover_document_reparse),  FUNCTION(drover_document_root),
    FUNCTION(drover_error_set),         FUNCTION(drover_log),
    FUNCTION(drover_origin_name),       FUNCTION(drover_outcome_name),
    FUNCTION(drover_status_name),       FUNCTION(drover_status_parse),
    FUNCTION(drover_text_dup),          FUNCTION(drover_text_equals),
    FUNCTION(drover_type_name),         FUNCTION(drover_value_at),
    FUNCTION(drover_value_bool),        FUNCTION(drover_value_bytes),
    FUNCTION(drover_value_count),       FUNCTION(drover_value_double),
    FUNCTION(drover_value_get),         FUNCTION(drover_value_get_text),
    FUNCTION(drover_value_int64),       FUNCTION(drover_value_key),
    FUNCTION(drover_value_text),        FUNCTION(drover_value_type),
    FUNCTION(drover_value_uint64),      FUNCTION(drover_worker_main),
    FUNCTION(drover_write_array),       FUNCTION(drover_write_bool),
    FUNCTION(drover_write_bytes),       FUNCTION(drover_write_double),
    FUNCTION(drover_write_format),      FUNCTION(drover_write_int64),
    FUNCTION(drover_write_map),         FUNCTION(drover_write_nil),
    FUNCTION(drover_write_raw),         FUNCTION(drover_write_string),
    FUNCTION(drover_write_text),        FUNCTION(drover_write_uint64),
    FUNCTION(drover_write_value),       FUNCTION(drover_writer_clear),
    FUNCTION(drover_writer_data),       FUNCTION(drover_writer_free),
    FUNCTION(drover_writer_new),        FUNCTION(drover_writer_ok),
    FUNCTION(drover_writer_size),
};

Test(exports, a_driver_needs_no_other_library)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        cr_expect_not_null(functions[i]);
}
