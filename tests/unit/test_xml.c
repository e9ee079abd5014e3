/* SPDX-License-Identifier: MIT */
/* Host files: each of tests/xmlbad is refused with its message; the samples say what they say. */
#include <check.h>
#include <dirent.h>
#include <libxml/relaxng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hyp/abi/bundle.h"
#include "hyp/dom/record.h"
#include "tests/unit/check_main.h"
#include "tests/unit/kernels.h"
#include "tools/mkbundle.h"
#include "tools/file.h"
#include "xml/cpuset.h"

static char root[1024], temp[] = "/tmp/test-xml-XXXXXX";

static char *slurp(const char *path)
{
    size_t n = 0;
    char *text = (char *)file_read(path, &n);

    if (text)
        text[n] = '\0';
    return text;
}

/* Reads name.xml and its kernels in the current directory: NULL or the message. */
static const char *check_file(const char *xml)
{
    struct hostcfg h;
    uint8_t *bundle = NULL;
    size_t size;
    const char *wrong = hostcfg_read(&h, xml);

    if (!wrong)
        wrong = bundle_make(&h, &(struct bundle_ours){"good.elf", NULL}, NULL, &bundle, &size);
    free(bundle);
    hostcfg_free(&h);
    return wrong;
}

/* One bad file: copied to where the kernels are, so that its message names it alone. */
static void check_bad(const char *xml)
{
    char path[1400], message[1400];
    char *text, *want;
    const char *wrong;

    snprintf(path, sizeof(path), "%s/tests/xmlbad/%s", root, xml);
    text = slurp(path);
    ck_assert_ptr_nonnull(text);
    ck_assert(file_write(xml, text, strlen(text)));
    free(text);
    snprintf(message, sizeof(message), "%s/tests/xmlbad/%.*s.msg", root, (int)strlen(xml) - 4, xml);
    wrong = check_file(xml);
    ck_assert_msg(wrong, "%s is accepted", xml);
    if (getenv("WRITE_MESSAGES")) { /* to look at and commit */
        char line[1400];

        snprintf(line, sizeof(line), "%s\n", wrong);
        ck_assert(file_write(message, line, strlen(line)));
    }
    want = slurp(message);
    ck_assert_msg(want, "%s has no message", xml);
    want[strcspn(want, "\n")] = '\0';
    ck_assert_str_eq(wrong, want);
    free(want);
}

START_TEST(bad_files)
{
    char path[1100];
    struct dirent *e;
    unsigned n = 0;
    DIR *d;

    snprintf(path, sizeof(path), "%s/tests/xmlbad", root);
    d = opendir(path);
    ck_assert_ptr_nonnull(d);
    while ((e = readdir(d)))
        if (strlen(e->d_name) > 4 && !strcmp(e->d_name + strlen(e->d_name) - 4, ".xml")) {
            check_bad(e->d_name);
            n++;
        }
    closedir(d);
    ck_assert_uint_ge(n, 95);
}
END_TEST

static const char *const formats[] = {"gzip", "xz", "zstd", "lz4"};

/* What tests/xmlbad breaks is good before. */
START_TEST(packed)
{
    char text[512];
    int n = snprintf(text, sizeof(text),
                     "<host><name>h</name><memory unit='MiB'>64</memory><domain type='xen'>"
                     "<name>a</name><memory unit='MiB'>8</memory><os><type>xenpvh</type>"
                     "<kernel>%s.bz</kernel></os></domain></host>",
                     formats[_i]);

    ck_assert(file_write("packed.xml", text, (size_t)n));
    ck_assert_ptr_null(check_file("packed.xml"));
}
END_TEST

START_TEST(samples)
{
    char path[1100];
    struct hostcfg h;
    const struct domcfg *d;

    snprintf(path, sizeof(path), "%s/xml/samples/host.xml", root);
    ck_assert_ptr_null(hostcfg_read(&h, path));
    ck_assert_str_eq(h.name, "rack1");
    ck_assert_uint_eq(h.memory, 2UL << 30);
    ck_assert(h.control && !h.poweroff_when_idle);
    ck_assert_uint_eq(h.control_affinity, 1);
    ck_assert_uint_eq(h.ndomains, 1);
    d = &h.domains[0];
    ck_assert_str_eq(d->name, "web");
    ck_assert(d->has_uuid && d->uuid[0] == 0x3e && d->uuid[15] == 0xf2);
    ck_assert_uint_eq(d->memory, 512UL << 20);
    ck_assert_uint_eq(d->current, 256UL << 20);
    ck_assert_uint_eq(d->minimum, 128UL << 20);
    ck_assert_uint_eq(d->vcpus, 2);
    ck_assert_uint_eq(d->affinity, 0xb);
    ck_assert_uint_eq(d->weight, 512);
    ck_assert_uint_eq(d->cap, 150);
    ck_assert_uint_eq(d->tsc_hz, 2000000000);
    ck_assert_str_eq(d->kernel, "/srv/vmlinuz");
    ck_assert_str_eq(d->cmdline, "console=hvc0 quiet");
    ck_assert_int_eq(d->on_poweroff, ACTION_DESTROY);
    ck_assert_int_eq(d->on_reboot, ACTION_RESTART);
    ck_assert_int_eq(d->on_crash, ACTION_PRESERVE);
    ck_assert_ptr_nonnull(strstr(d->name_at.file, "web.xml"));
    hostcfg_free(&h);
}
END_TEST

/* A domain's file alone, as it is created on a running host. */
START_TEST(one_domain)
{
    char path[1100], *message;
    struct domcfg d;

    snprintf(path, sizeof(path), "%s/xml/samples/web.xml", root);
    ck_assert_ptr_null(domcfg_read(&d, path));
    ck_assert_str_eq(d.name, "web");
    ck_assert_uint_eq(d.affinity, 0xb);
    ck_assert_ptr_nonnull(strstr(d.name_at.file, "web.xml"));
    domcfg_free(&d);
    snprintf(path, sizeof(path), "%s/xml/samples/host.xml", root);
    message = strdup(domcfg_read(&d, path));
    ck_assert_ptr_nonnull(
        strstr(message, "<host>: not a domain file; its first element is <domain>"));
    free(message);
    domcfg_free(&d);
    ck_assert(file_write("one.xml", "<domain x='1'/>", 15));
    ck_assert_ptr_nonnull(strstr(domcfg_read(&d, "one.xml"), "one.xml:1: <domain>: attribute 'x'"));
    domcfg_free(&d);
}
END_TEST

#define LONG_NAME                                                                                  \
    "a-directory-whose-name-is-as-long-as-file-systems-let-it-be-or-nearly-so-"                    \
    "which-makes-a-path-of-more-bytes-than-once-were-kept-of-it"

static const char *const directories[] = {
    "plain", "a b",   "a%20b", "\xc3\xbc", "it's", "50%",
    "#1",    "what?", "c:d",   "file:",    "-",    LONG_NAME "/" LONG_NAME "/" LONG_NAME};

#define DOMAIN(name)                                                                               \
    "<domain><name>" name "</name><memory unit='MiB'>8</memory><os><type>xenpvh</type>"            \
    "<kernel>good.elf</kernel></os></domain>"
#define HOST(what)                                                                                 \
    "<host xmlns:xi='http://www.w3.org/2001/XInclude'><name>h</name>"                              \
    "<memory unit='MiB'>64</memory>" what "</host>"

static void write_text(const char *dir, const char *name, const char *text)
{
    char path[700];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    ck_assert(file_write(path, text, strlen(text)));
}

static void make_directories(const char *dir)
{
    char path[700];

    for (const char *c = dir; c; c = strchr(c + 1, '/')) {
        const char *end = strchr(c + 1, '/');

        snprintf(path, sizeof(path), "%.*s", end ? (int)(end - dir) : (int)strlen(dir), dir);
        ck_assert_int_eq(mkdir(path, 0700), 0);
    }
}

static void check_place(const struct domcfg *d, const char *dir, const char *file)
{
    char path[700];

    snprintf(path, sizeof(path), "%s/good.elf", dir);
    ck_assert_str_eq(d->kernel, path);
    snprintf(path, sizeof(path), "%s/%s", dir, file);
    ck_assert_str_eq(d->kernel_at.file, path);
}

/* Paths are relative to the file that names them, in a directory of any name. */
START_TEST(paths)
{
    const char *dir = directories[_i];
    char text[900], path[700];
    struct hostcfg h;

    make_directories(dir);
    write_text(dir, "part.xml", DOMAIN("a"));
    write_text(dir, "host.xml", HOST("<xi:include href='part.xml'/>" DOMAIN("b")));
    snprintf(path, sizeof(path), "%s/host.xml", dir);
    ck_assert_ptr_null(hostcfg_read(&h, path));
    check_place(&h.domains[0], dir, "part.xml");
    check_place(&h.domains[1], dir, "host.xml");
    hostcfg_free(&h);
    snprintf(text, sizeof(text), HOST("<xi:include href=\"%s/part.xml\"/>"), dir);
    write_text(".", "outside.xml", text);
    ck_assert_ptr_null(hostcfg_read(&h, "outside.xml"));
    check_place(&h.domains[0], dir, "part.xml");
    hostcfg_free(&h);
}
END_TEST

/* An escape of a URI counts where no file is named so. */
START_TEST(escapes)
{
    struct hostcfg h;

    write_text(".", "one two.xml", DOMAIN("a"));
    write_text(".", "escapes.xml", HOST("<xi:include href='one%20two.xml'/>"));
    ck_assert_ptr_null(hostcfg_read(&h, "escapes.xml"));
    ck_assert_str_eq(h.domains[0].name, "a");
    hostcfg_free(&h);
    write_text(".", "one%20two.xml", DOMAIN("b"));
    ck_assert_ptr_null(hostcfg_read(&h, "escapes.xml"));
    ck_assert_str_eq(h.domains[0].name, "b");
    hostcfg_free(&h);
}
END_TEST

static const char *message(const char *path)
{
    static char text[DOMCFG_ERROR_SIZE];
    struct hostcfg h;
    const char *wrong = hostcfg_read(&h, path);

    snprintf(text, sizeof(text), "%s", wrong ? wrong : "");
    hostcfg_free(&h);
    return text;
}

/* Files that cannot be read: why, and at once. */
START_TEST(unreadable)
{
    ck_assert_str_eq(message("none.xml"), "none.xml: cannot be read: No such file or directory");
    ck_assert_str_eq(message("."), ".: cannot be read: it is a directory");
    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    write_text(".", "fifo.xml", HOST("<xi:include href='fifo'/>"));
    ck_assert_str_eq(message("fifo.xml"),
                     "fifo.xml:1: <include>: 'fifo' cannot be read: it is not a regular file");
}
END_TEST

/* Six files of ten includes each, the last a million times. */
START_TEST(include_bomb)
{
    char name[32], text[900];

    for (unsigned i = 0; i < 6; i++) {
        size_t n = (size_t)snprintf(text, sizeof(text), "<b xmlns:xi='%s'>",
                                    "http://www.w3.org/2001/XInclude");

        for (unsigned k = 0; k < 10; k++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "<xi:include href='bomb%u'/>", i + 1);
        snprintf(text + n, sizeof(text) - n, "</b>");
        snprintf(name, sizeof(name), "bomb%u", i);
        write_text(".", name, text);
    }
    write_text(".", "bomb6", "<b/>");
    write_text(".", "bomb.xml", HOST("<xi:include href='bomb0'/>"));
    ck_assert_str_eq(message("bomb.xml"), "bomb5:1: <include>: more than 1000 files are included");
}
END_TEST

/* Lines that libxml2 has no room for in its nodes. */
START_TEST(many_lines)
{
    const size_t size = 80000;
    char *text = malloc(size);

    ck_assert_ptr_nonnull(text);
    memset(text, '\n', size);
    memcpy(text, "<host>", 6);
    strcpy(text + size - 100, "<name>h</name><memory unit='pages'>64</memory></host>");
    write_text(".", "lines.xml", text);
    free(text);
    ck_assert_str_eq(message("lines.xml"),
                     "lines.xml:79895: <memory>: unit 'pages' is unknown; b, bytes, KB, KiB, MB, "
                     "MiB, GB, GiB, TB or TiB");
}
END_TEST

/* The reason is there behind any path. */
START_TEST(long_paths)
{
    char name[4001], text[4400];
    const char *wrong;

    memset(name, 'k', 4000);
    name[4000] = '\0';
    ck_assert_ptr_nonnull(strstr(message(name), "k: cannot be read: File name too long"));
    snprintf(text, sizeof(text), HOST("<xi:include href='%s'/>"), name);
    write_text(".", "long.xml", text);
    ck_assert_ptr_nonnull(strstr(message("long.xml"), "k' cannot be read: File name too long"));
    snprintf(text, sizeof(text),
             HOST("<domain><name>a</name><memory unit='MiB'>8</memory><os><type>xenpvh</type>"
                  "<kernel>%s</kernel></os></domain>"),
             name);
    write_text(".", "long.xml", text);
    wrong = check_file("long.xml");
    ck_assert(wrong && strstr(wrong, "long.xml:1: <kernel>: kkk"));
    ck_assert_ptr_nonnull(strstr(wrong, "k: File name too long"));
}
END_TEST

/* As many as the manual page says, and no more. */
START_TEST(many_domains)
{
    char text[40000] = "<host><name>h</name><memory unit='GiB'>4</memory>";
    size_t n = strlen(text);
    struct hostcfg h;

    for (unsigned i = 0; i < 126U + (unsigned)_i; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "\n<domain><name>d%u</name><memory unit='MiB'>8</memory><os>"
                              "<type>xenpvh</type><kernel>good.elf</kernel></os></domain>",
                              i);
    strcpy(text + n, "</host>");
    write_text(".", "many.xml", text);
    if (_i)
        ck_assert_str_eq(hostcfg_read(&h, "many.xml"),
                         "many.xml:128: <domain>: more than 126 domains");
    else
        ck_assert_ptr_null(hostcfg_read(&h, "many.xml"));
    hostcfg_free(&h);
}
END_TEST

START_TEST(cpu_lists)
{
    char text[CPUSET_TEXT];

    cpuset_text(text, cpuset_parse("0-3,^2,5,62-63"));
    ck_assert_str_eq(text, "0-1,3,5,62-63");
    cpuset_text(text, ~0UL);
    ck_assert_str_eq(text, "0-63");
    cpuset_text(text, 0x5555555555555555UL);
    ck_assert_uint_eq(cpuset_parse(text), 0x5555555555555555UL);
    ck_assert_uint_eq(cpuset_parse("1,^1"), 0);
    ck_assert_uint_eq(cpuset_parse("all"), 0);
}
END_TEST

/* The sample, which says all that a domain may, is libvirt's, too. */
START_TEST(libvirt_agrees)
{
    xmlRelaxNGParserCtxt *p = xmlRelaxNGNewParserCtxt("/usr/share/libvirt/schemas/domain.rng");
    xmlRelaxNG *schema = xmlRelaxNGParse(p);
    xmlRelaxNGValidCtxt *v = xmlRelaxNGNewValidCtxt(schema);
    char path[1100];
    xmlDoc *doc;

    snprintf(path, sizeof(path), "%s/xml/samples/web.xml", root);
    doc = xmlReadFile(path, NULL, 0);
    ck_assert_ptr_nonnull(v);
    ck_assert_int_eq(xmlRelaxNGValidateDoc(v, doc), 0);
    xmlFreeDoc(doc);
    xmlRelaxNGFreeValidCtxt(v);
    xmlRelaxNGFree(schema);
    xmlRelaxNGFreeParserCtxt(p);
}
END_TEST

/* The hypervisor's own check accepts what we write. */
START_TEST(bundle_is_valid)
{
    static const char text[] =
        "<host><name>h</name><memory unit='MiB'>64</memory><control/><domain type='xen'>"
        "<name>a</name><memory "
        "unit='MiB'>8</memory><os><type>xenpvh</type><kernel>good.elf</kernel>"
        "<initrd>text</initrd><cmdline>x y</cmdline></os><clock offset='utc'>"
        "<timer name='tsc' frequency='2500000001'/></clock></domain></host>";
    const struct bundle_domain *r;
    struct hostcfg h;
    uint8_t *bundle = NULL;
    uint32_t segment;
    size_t size = 0;

    ck_assert(file_write("ok.xml", text, sizeof(text) - 1));
    ck_assert_ptr_null(hostcfg_read(&h, "ok.xml"));
    ck_assert_ptr_null(
        bundle_make(&h, &(struct bundle_ours){"good.elf", NULL}, NULL, &bundle, &size));
    ck_assert_ptr_null(record_check_header((const void *)bundle, size));
    r = (const void *)(bundle + BUNDLE_PAGE);
    ck_assert_ptr_null(record_check(&r[0], (const void *)bundle, &segment));
    ck_assert_ptr_null(record_check(&r[1], (const void *)bundle, &segment));
    ck_assert_str_eq(r[0].name, "ctl");
    ck_assert_uint_eq(r[0].class, BUNDLE_CLASS_CTL);
    ck_assert_uint_eq(r[1].nsegments, 3);
    ck_assert_uint_eq(r[1].entry, 0x100010);
    ck_assert_uint_eq(r[0].tsc_hz, 0);
    ck_assert_uint_eq(r[1].tsc_hz, 2500000001);
    ck_assert_uint_eq(r[1].segments[2].kind, BUNDLE_SEGMENT_MODULE);
    ck_assert_uint_eq(r[1].segments[2].gpa, 0x400000);
    ck_assert_int_eq(memcmp(bundle + r[1].segments[2].offset, "hello\n", 6), 0);
    free(bundle);
    hostcfg_free(&h);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, bad_files);
    tcase_add_loop_test(tc, packed, 0, 4);
    tcase_add_test(tc, samples);
    tcase_add_test(tc, libvirt_agrees);
    tcase_add_test(tc, bundle_is_valid);
    tcase_add_test(tc, one_domain);
    tcase_add_loop_test(tc, paths, 0, sizeof(directories) / sizeof(directories[0]));
    tcase_add_test(tc, escapes);
    tcase_add_test(tc, unreadable);
    tcase_add_test(tc, include_bomb);
    tcase_add_test(tc, many_lines);
    tcase_add_test(tc, long_paths);
    tcase_add_loop_test(tc, many_domains, 0, 2);
    tcase_add_test(tc, cpu_lists);
}

int main(void)
{
    char parts[1100], remove[64];
    int code;

    if (!getcwd(root, sizeof(root)) || !mkdtemp(temp) || chdir(temp))
        return EXIT_FAILURE;
    kernels_write();
    snprintf(parts, sizeof(parts), "%s/tests/xmlbad/parts", root);
    if (symlink(parts, "parts"))
        return EXIT_FAILURE;
    code = check_main("xml", fill);
    snprintf(remove, sizeof(remove), "rm -rf %s", temp);
    return system(remove) ? EXIT_FAILURE : code;
}
