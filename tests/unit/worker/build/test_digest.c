/* test_digest.c - lists of words, and that no two lists have one digest */
#include <criterion/criterion.h>
#include <string.h>

#include "worker/build/digest.h"

static void digest_of(const char *name, const char *value, char hex[DIGEST_SIZE])
{
    struct digest digest;
    digest_init(&digest);
    digest_add(&digest, name, value);
    digest_end(&digest, hex);
}

Test(digest, tells_where_a_name_ends)
{
    char one[DIGEST_SIZE], two[DIGEST_SIZE];
    digest_of("ab", "c", one);
    digest_of("a", "bc", two);
    cr_expect_str_neq(one, two);
}

Test(digest, tells_nothing_from_an_empty_text)
{
    char one[DIGEST_SIZE], two[DIGEST_SIZE];
    digest_of("a", "", one);
    digest_of("a", NULL, two);
    cr_expect_str_neq(one, two);
}

Test(digest, tells_how_words_are_divided)
{
    struct digest digest;
    struct words list = {0};
    char one[DIGEST_SIZE], two[DIGEST_SIZE];
    words_add(&list, "a");
    words_add(&list, "b");
    digest_init(&digest);
    digest_add_words(&digest, "list", &list);
    digest_end(&digest, one);
    words_done(&list);
    words_add(&list, "a b");
    digest_init(&digest);
    digest_add_words(&digest, "list", &list);
    digest_end(&digest, two);
    words_done(&list);
    cr_expect_str_neq(one, two);
}

Test(digest, is_what_its_header_says)
{
    struct digest digest;
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[DIGEST_SIZE], expected[DIGEST_SIZE] = "";
    static const unsigned char octets[] = "\1\0\0\0\0\0\0\0n\2\0\0\0\0\0\0\0vw";
    digest_init(&digest);
    digest_add(&digest, "n", "vw");
    digest_end(&digest, hex);
    crypto_hash_sha256(hash, octets, sizeof(octets) - 1);
    for (size_t i = 0; i < sizeof(hash); i++)
        snprintf(expected + 2 * i, 3, "%02x", hash[i]);
    cr_expect_str_eq(hex, expected);
}

Test(words, grow_and_stay_ended_by_null)
{
    struct words words = {0};
    for (unsigned i = 0; i < 100; i++)
        words_format(&words, "%u", i);
    cr_expect_eq(words.count, 100);
    cr_expect_str_eq(words.items[99], "99");
    cr_expect_null(words.items[100]);
    cr_expect(words_have(&words, "42"));
    cr_expect_not(words_have(&words, "100"));
    cr_expect_not(words.no_memory);
    words_done(&words);
}
