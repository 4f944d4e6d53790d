/* question.c - see question.h */
#include "worker/host/question.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool question_copy(struct host_self_test *to, const struct host_self_test *from)
{
    char *method = from->method != NULL ? strdup(from->method) : NULL;
    void *request = from->request != NULL ? malloc(from->request_size + 1) : NULL;
    *to = (struct host_self_test){
        .method = method, .request = request, .request_size = from->request_size, .expect = from->expect};
    if ((from->method != NULL && method == NULL) || (from->request != NULL && request == NULL)) {
        question_done(to);
        return false;
    }
    if (request != NULL)
        memcpy(request, from->request, from->request_size);
    return true;
}

void question_done(struct host_self_test *question)
{
    free((char *)(uintptr_t)question->method);
    free((void *)(uintptr_t)question->request);
    *question = (struct host_self_test){0};
}
