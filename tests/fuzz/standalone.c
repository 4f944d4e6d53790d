/* standalone.c - replays the corpus of a fuzz target in an ordinary test, without libFuzzer
 *
 * `fuzz_x FOLDER...` runs every file of the folders, then each of its prefixes and each of its octets flipped (files up
 * to NEIGHBOURS_MAX octets), so that the replay also looks around the corpus. No input at all is a failure.
 */
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 20, NEIGHBOURS_MAX = 2048 };

/* A copy that ends where the heap block ends, so that AddressSanitizer sees a read beyond it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_neighbours(uint8_t *data, size_t size)
{
    for (size_t cut = 0; cut < size; cut++)
        run(data, cut);
    for (size_t i = 0; i < size; i++) {
        data[i] ^= (uint8_t)(1u << (i % CHAR_BIT));
        run(data, size);
        data[i] ^= (uint8_t)(1u << (i % CHAR_BIT));
    }
}

static bool run_file(const char *path)
{
    static uint8_t data[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "%s: cannot be opened\n", path);
        return false;
    }
    const size_t size = fread(data, 1, sizeof(data), file);
    (void)fclose(file);
    run(data, size);
    if (size <= NEIGHBOURS_MAX)
        run_neighbours(data, size);
    return true;
}

/* Returns how many files were run; -1 when one could not be read. */
static int run_folder(const char *path)
{
    int count = 0;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        (void)fprintf(stderr, "%s: no such folder\n", path);
        return -1;
    }
    for (struct dirent *entry; count >= 0 && (entry = readdir(folder)) != NULL;) {
        char file[PATH_MAX];
        if (entry->d_name[0] == '.')
            continue;
        const int length = snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        count = length < (int)sizeof(file) && run_file(file) ? count + 1 : -1;
    }
    (void)closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int inputs = 0;
    for (int i = 1; i < argc; i++) {
        const int count = run_folder(argv[i]);
        if (count <= 0) {
            (void)fprintf(stderr, "%s: no input\n", argv[i]);
            return 1;
        }
        inputs += count;
    }
    (void)printf("%d inputs and their neighbours\n", inputs);
    return inputs > 0 ? 0 : 1;
}
