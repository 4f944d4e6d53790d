/* request.c - see request.h */
#include "broker/io/request.h"

enum drover_status request_unknown_service(const struct request *request)
{
    return drover_error_set(request->error, DROVER_NOT_FOUND, "service '%s' is not configured here", request->service);
}

enum drover_status request_need_service(const struct request *request, struct roster_entry **ret)
{
    if (request->service == NULL)
        return drover_error_set(request->error, DROVER_INVALID_ARGUMENT, "the request names no service");
    *ret = roster_find(request->admin->roster, request->service);
    return *ret != NULL ? DROVER_OK : request_unknown_service(request);
}

void put_text(struct drover_writer *writer, const char *key, const char *text)
{
    drover_write_string(writer, key);
    drover_write_string(writer, text);
}

void put_text_or_nil(struct drover_writer *writer, const char *key, const char *text)
{
    drover_write_string(writer, key);
    if (text[0] != '\0')
        drover_write_string(writer, text);
    else
        drover_write_nil(writer);
}

void put_number(struct drover_writer *writer, const char *key, uint64_t number)
{
    drover_write_string(writer, key);
    drover_write_uint64(writer, number);
}

void put_bool(struct drover_writer *writer, const char *key, bool value)
{
    drover_write_string(writer, key);
    drover_write_bool(writer, value);
}
