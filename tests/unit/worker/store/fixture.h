/* fixture.h - a store in a temporary folder, and things to put into it */
#ifndef DROVER_TESTS_STORE_FIXTURE_H
#define DROVER_TESTS_STORE_FIXTURE_H

#include <criterion/criterion.h>

#include "worker/store/store.h"

#define NAME_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define ASSERT_OK(call) cr_assert_eq((call), DROVER_OK, "%s", fixture.error.text)
#define ASSERT_STATUS(call, status) cr_assert_eq((call), (status), "%s", fixture.error.text)
#define ASSERT_SAYS(words) \
    cr_assert_not_null(strstr(fixture.error.text, (words)), "'%s' is not in: %s", (words), fixture.error.text)

struct fixture {
    char folder[64]; /* the store is in it, as "store" */
    char path[96];
    struct store *store;
    struct drover_error error;
};

extern struct fixture fixture;

void fixture_set_up(void);
void fixture_tear_down(void);

/* printf a path below the store's folder, into one of four static buffers. */
const char *at(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool exists(const char *path);
void write_file(const char *path, const char *text, unsigned mode);
void make_folder(const char *path);
unsigned count_names(const char *folder);

/* A small tree: run.sh (executable), src/a.c, src/deep/b.c */
void make_sample(const char *path);

/* Publish make_sample() in a folder of its own; the name goes to `ret_name`. */
void publish_sample(struct store *store, char ret_name[STORE_NAME_SIZE]);

/* Publish an artefact with the text as its bytes. */
void publish_artefact(struct store *store, const char *text, char ret_name[STORE_NAME_SIZE]);

#endif
