/* binary.c - see binary.h
 *
 * Source: System V Application Binary Interface, chapters 4 and 5; elf(5); for DT_GNU_HASH, which these leave out, the
 * lookup of the GNU dynamic linker (glibc, elf/dl-lookup.c).
 */
#include "common/sys/binary.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADERS_MAX 64   /* program headers; linkers make about a dozen */
#define DYNAMIC_MAX 1024 /* entries of the dynamic section */
#define CHAIN_MAX 4096   /* symbols with one place in the hash table */

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE EM_NONE /* not compared */
#endif

/* The word size and byte order that this program was built for. */
#if __SIZEOF_POINTER__ == 8
#define OWN_CLASS ELFCLASS64
#define OWN(type) Elf64_##type
#define SYMBOL_BINDING ELF64_ST_BIND
#define SYMBOL_TYPE ELF64_ST_TYPE
#else
#define OWN_CLASS ELFCLASS32
#define OWN(type) Elf32_##type
#define SYMBOL_BINDING ELF32_ST_BIND
#define SYMBOL_TYPE ELF32_ST_TYPE
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OWN_ORDER ELFDATA2LSB
#else
#define OWN_ORDER ELFDATA2MSB
#endif

enum found { FOUND_NOT, FOUND_IT, FOUND_DAMAGE };

/* An ELF file, and what its dynamic section says; addresses are those of the memory it would be loaded into. */
struct image {
    const struct binary_source *source;
    OWN(Phdr) headers[HEADERS_MAX];
    unsigned header_count;
    uint64_t symbols, strings, strings_size, gnu_hash, hash, flags;
};

static bool read_file(const struct image *image, uint64_t at, void *data, size_t size)
{
    return image->source->read(image->source->context, at, data, size);
}

/* Read what the loaded file would have at `address`: from the segment that holds all of it. */
static bool read_memory(const struct image *image, uint64_t address, void *data, size_t size)
{
    for (unsigned i = 0; i < image->header_count; i++) {
        const OWN(Phdr) *segment = &image->headers[i];
        const uint64_t inside = address - segment->p_vaddr;
        if (segment->p_type != PT_LOAD || address < segment->p_vaddr || inside >= segment->p_filesz ||
            size > segment->p_filesz - inside || inside > UINT64_MAX - segment->p_offset)
            continue;
        return read_file(image, segment->p_offset + inside, data, size);
    }
    return false;
}

/* The first program header of a type, or NULL. */
static const OWN(Phdr) * find_header(const struct image *image, uint32_t type)
{
    for (unsigned i = 0; i < image->header_count; i++) {
        if (image->headers[i].p_type == type)
            return &image->headers[i];
    }
    return NULL;
}

static void take_entry(struct image *image, const OWN(Dyn) * entry)
{
    const struct {
        int64_t tag;
        uint64_t *place;
    } wanted[] = {
        {DT_SYMTAB, &image->symbols},    {DT_STRTAB, &image->strings}, {DT_STRSZ, &image->strings_size},
        {DT_GNU_HASH, &image->gnu_hash}, {DT_HASH, &image->hash},      {DT_FLAGS_1, &image->flags},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (wanted[i].tag == entry->d_tag)
            *wanted[i].place = entry->d_un.d_val;
    }
}

/* False when it is damaged; a file without a dynamic section is not. */
static bool read_dynamic(struct image *image)
{
    const OWN(Phdr) *section = find_header(image, PT_DYNAMIC);
    OWN(Dyn) entry;
    if (!section)
        return true;
    for (uint64_t i = 0; i < DYNAMIC_MAX && i < section->p_filesz / sizeof(entry); i++) {
        if (section->p_offset > UINT64_MAX - i * sizeof(entry) ||
            !read_file(image, section->p_offset + i * sizeof(entry), &entry, sizeof(entry)))
            return false;
        if (entry.d_tag == DT_NULL)
            return true;
        take_entry(image, &entry);
    }
    return false;
}

/* ---- symbols ---- */

static bool is_offered(const OWN(Sym) * symbol)
{
    const unsigned binding = SYMBOL_BINDING(symbol->st_info), type = SYMBOL_TYPE(symbol->st_info);
    return symbol->st_shndx != SHN_UNDEF && (binding == STB_GLOBAL || binding == STB_WEAK) &&
           (type == STT_OBJECT || type == STT_NOTYPE);
}

/* Is this symbol the descriptor? */
static enum found check_symbol(const struct image *image, uint64_t index)
{
    char name[sizeof(BINARY_DESCRIPTOR)];
    OWN(Sym) symbol;
    if (!read_memory(image, image->symbols + index * sizeof(symbol), &symbol, sizeof(symbol)))
        return FOUND_DAMAGE;
    if (!is_offered(&symbol) || image->strings_size < sizeof(name) ||
        symbol.st_name > image->strings_size - sizeof(name))
        return FOUND_NOT;
    if (!read_memory(image, image->strings + symbol.st_name, name, sizeof(name)))
        return FOUND_DAMAGE;
    return memcmp(name, BINARY_DESCRIPTOR, sizeof(name)) == 0 ? FOUND_IT : FOUND_NOT;
}

static uint32_t gnu_hash_of(const char *name)
{
    uint32_t hash = 5381;
    for (const char *at = name; *at; at++)
        hash = hash * 33 + (uint8_t)*at;
    return hash;
}

/* Layout: four numbers, a Bloom filter (which only saves time), buckets, and behind them the hash of each symbol from
 * `first` on; a hash's lowest bit says that it is the last of its bucket. */
static enum found find_in_gnu_hash(const struct image *image)
{
    struct {
        uint32_t bucket_count, first, bloom_count, bloom_shift;
    } table;
    const uint32_t wanted = gnu_hash_of(BINARY_DESCRIPTOR);
    uint32_t index;
    if (!read_memory(image, image->gnu_hash, &table, sizeof(table)))
        return FOUND_DAMAGE;
    if (table.bucket_count == 0)
        return FOUND_NOT;
    const uint64_t buckets = image->gnu_hash + sizeof(table) + (uint64_t)table.bloom_count * sizeof(OWN(Addr));
    const uint64_t hashes = buckets + (uint64_t)table.bucket_count * sizeof(uint32_t);
    if (!read_memory(image, buckets + (uint64_t)(wanted % table.bucket_count) * sizeof(index), &index, sizeof(index)))
        return FOUND_DAMAGE;
    if (index < table.first)
        return FOUND_NOT; /* the bucket is empty */
    for (uint64_t i = index; i - index < CHAIN_MAX; i++) {
        uint32_t hash;
        if (!read_memory(image, hashes + (i - table.first) * sizeof(hash), &hash, sizeof(hash)))
            return FOUND_DAMAGE;
        const enum found found = (hash | 1) == (wanted | 1) ? check_symbol(image, i) : FOUND_NOT;
        if (found != FOUND_NOT || (hash & 1))
            return found;
    }
    return FOUND_DAMAGE;
}

static uint32_t hash_of(const char *name)
{
    uint32_t hash = 0;
    for (const char *at = name; *at; at++) {
        hash = (hash << 4) + (uint8_t)*at;
        const uint32_t high = hash & 0xf0000000u;
        hash = (hash ^ (high >> 24)) & ~high;
    }
    return hash;
}

/* Layout: two numbers, buckets, chains; each entry is the index of a symbol, 0 ends a chain. */
static enum found find_in_hash(const struct image *image)
{
    struct {
        uint32_t bucket_count, chain_count;
    } table;
    uint32_t index;
    if (!read_memory(image, image->hash, &table, sizeof(table)))
        return FOUND_DAMAGE;
    if (table.bucket_count == 0)
        return FOUND_NOT;
    const uint64_t buckets = image->hash + sizeof(table);
    const uint64_t chains = buckets + (uint64_t)table.bucket_count * sizeof(index);
    uint64_t at = buckets + (uint64_t)(hash_of(BINARY_DESCRIPTOR) % table.bucket_count) * sizeof(index);
    for (unsigned i = 0; i < CHAIN_MAX; i++) {
        if (!read_memory(image, at, &index, sizeof(index)))
            return FOUND_DAMAGE;
        const enum found found = index == STN_UNDEF ? FOUND_NOT : check_symbol(image, index);
        if (found != FOUND_NOT || index == STN_UNDEF)
            return found;
        at = chains + (uint64_t)index * sizeof(index);
    }
    return FOUND_DAMAGE;
}

static enum found find_descriptor(const struct image *image)
{
    if (image->symbols == 0 || image->strings == 0)
        return FOUND_NOT;
    if (image->gnu_hash != 0)
        return find_in_gnu_hash(image);
    return image->hash != 0 ? find_in_hash(image) : FOUND_NOT;
}

/* ---- files ---- */

static bool read_headers(struct image *image, const OWN(Ehdr) * header)
{
    if (header->e_phnum > HEADERS_MAX || (header->e_phnum > 0 && header->e_phentsize != sizeof(image->headers[0])))
        return false;
    image->header_count = header->e_phnum;
    return header->e_phnum == 0 ||
           read_file(image, header->e_phoff, image->headers, header->e_phnum * sizeof(image->headers[0]));
}

/* Is all of it there that would be loaded? Who looks while somebody still writes it sees the first part. */
static bool is_whole(const struct image *image)
{
    char last;
    for (unsigned i = 0; i < image->header_count; i++) {
        const OWN(Phdr) *segment = &image->headers[i];
        if (segment->p_type != PT_LOAD || segment->p_filesz == 0)
            continue;
        if (segment->p_offset > UINT64_MAX - segment->p_filesz ||
            !read_file(image, segment->p_offset + segment->p_filesz - 1, &last, sizeof(last)))
            return false;
    }
    return true;
}

/* An executable may be of the type of shared objects, to be loaded anywhere: then it names its interpreter, or, when it
 * is a static one, says so by a flag. */
static enum binary_kind examine_shared(struct image *image)
{
    if (find_header(image, PT_INTERP))
        return BINARY_EXECUTABLE;
    if (!read_dynamic(image))
        return BINARY_DAMAGED;
    if (image->flags & DF_1_PIE)
        return BINARY_EXECUTABLE;
    switch (find_descriptor(image)) {
    case FOUND_IT:
        return BINARY_MODULE;
    case FOUND_NOT:
        return BINARY_LIBRARY;
    case FOUND_DAMAGE:
        break;
    }
    return BINARY_DAMAGED;
}

static enum binary_kind examine_elf(const struct binary_source *source)
{
    struct image image = {.source = source};
    OWN(Ehdr) header;
    if (!read_file(&image, 0, &header, sizeof(header)))
        return BINARY_DAMAGED;
    if (header.e_ident[EI_CLASS] != OWN_CLASS || header.e_ident[EI_DATA] != OWN_ORDER ||
        (OWN_MACHINE != EM_NONE && header.e_machine != OWN_MACHINE))
        return BINARY_ALIEN;
    if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
        return BINARY_OBJECT;
    if (!read_headers(&image, &header) || !is_whole(&image))
        return BINARY_DAMAGED;
    return header.e_type == ET_EXEC ? BINARY_EXECUTABLE : examine_shared(&image);
}

enum binary_kind binary_examine(const struct binary_source *source)
{
    char start[SELFMAG];
    if (!source->read(source->context, 0, start, 1))
        return BINARY_EMPTY;
    if (source->read(source->context, 0, start, 2) && memcmp(start, "#!", 2) == 0)
        return BINARY_SCRIPT;
    if (!source->read(source->context, 0, start, SELFMAG) || memcmp(start, ELFMAG, SELFMAG) != 0)
        return BINARY_OTHER;
    return examine_elf(source);
}

static bool read_descriptor(void *context, uint64_t at, void *data, size_t size)
{
    const int *file = context;
    ssize_t count;
    if (at > INT64_MAX)
        return false;
    do {
        count = pread(*file, data, size, (off_t)at);
    } while (count < 0 && errno == EINTR);
    return count == (ssize_t)size;
}

enum binary_kind binary_look(int file)
{
    const struct binary_source source = {.read = read_descriptor, .context = &file};
    struct stat about;
    if (fstat(file, &about) != 0)
        return BINARY_UNREADABLE;
    return S_ISREG(about.st_mode) ? binary_examine(&source) : BINARY_OTHER;
}

enum binary_kind binary_look_at(const char *path)
{
    /* Non-blocking: it may be a FIFO that nobody writes to. */
    const int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0)
        return BINARY_UNREADABLE;
    const enum binary_kind kind = binary_look(file);
    close(file);
    return kind;
}

const char *binary_kind_text(enum binary_kind kind)
{
    static const char *const texts[BINARY_KIND_END] = {
        [BINARY_UNREADABLE] = "a file that cannot be read",
        [BINARY_EMPTY] = "an empty file",
        [BINARY_OTHER] = "neither an executable nor a shared object",
        [BINARY_SCRIPT] = "a script",
        [BINARY_EXECUTABLE] = "an executable",
        [BINARY_MODULE] = "a driver module",
        [BINARY_LIBRARY] =
            "a shared object that is no driver (it lacks drover_driver_descriptor, which DROVER_DRIVER() makes)",
        [BINARY_OBJECT] = "an object file, neither an executable nor a shared object",
        [BINARY_ALIEN] = "for another kind of machine",
        [BINARY_DAMAGED] = "a damaged ELF file, or only half written",
    };
    return (unsigned)kind < BINARY_KIND_END ? texts[kind] : texts[BINARY_OTHER];
}
