#include "tests/test.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "curate/html/charset.h"

/* A sentence of each, and an encoding that it was written in. */
static const struct {
    const char *encoding, *text;
} texts[] = {
    { "CP1252", "Le café de la Gare était fermé à midi; l’élève a dû déjeuner près de l’hôtel, où tout coûtait très cher." },
    { "CP1252", "Die Prüfung für Bäcker findet über Ostern statt, weil es möglich wäre, daß größere Öfen kämen." },
    { "CP1250", "Každý člověk má právo na život, svobodu a osobní bezpečnost; nikdo nesmí být držen v otroctví, které je zakázáno." },
    { "ISO-8859-2", "Wszyscy ludzie rodzą się wolni i równi; są oni obdarzeni rozumem i sumieniem i powinni postępować w duchu braterstwa." },
    { "CP1251", "Все люди рождаются свободными и равными в своём достоинстве и правах." },
    { "KOI8-U", "Все люди рождаются свободными и равными в своём достоинстве и правах." },
    { "ISO-8859-5", "Все люди рождаются свободными и равными в своём достоинстве и правах." },
    { "CP866", "Все люди рождаются свободными и равными в своём достоинстве и правах." },
    { "CP1253", "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα." },
    { "CP1254", "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar; akıl ve vicdana sahiptirler ve birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler." },
    { "CP1255", "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם" },
    { "CP1256", "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق وقد وهبوا عقلا وضميرا" },
    { "CP1257", "Visi žmonės gimsta laisvi ir lygūs savo orumu ir teisėmis; jiems suteiktas protas ir sąžinė, ir jie turi elgtis vienas kito atžvilgiu kaip broliai." },
    { "CP874", "มนุษย์ทั้งปวงเกิดมามีอิสระและเสมอภาคกันในศักดิ์ศรีและสิทธิ" },
    { "CP932", "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。" },
    { "EUC-JP", "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。" },
    { "ISO-2022-JP", "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。" },
    { "GB18030", "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。" },
    { "BIG5-HKSCS", "人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心，並應以兄弟關係的精神互相對待。" },
    { "CP949", "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다." },
};

static void encode(const char *encoding, const char *text, struct buf *out)
{
    iconv_t conv = iconv_open(encoding, "UTF-8");
    char piece[2048], *in = (char *)text, *to = piece;
    size_t left = strlen(text), room = sizeof piece;

    assert_true(conv != (iconv_t)-1);
    assert_int_not_equal(iconv(conv, &in, &left, &to, &room), (size_t)-1);
    assert_int_not_equal(iconv(conv, NULL, NULL, &to, &room), (size_t)-1);
    iconv_close(conv);
    buf_add(out, piece, sizeof piece - room);
}

/* What comes back is the sentence, whichever name of the same bytes was found. */
static void a_sentence_tells_its_encoding(void **state)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buf bytes = { 0 }, again = { 0 };
        const char *name;
        encode(texts[i].encoding, texts[i].text, &bytes);
        name = charset_guess((struct span){ bytes.p, bytes.n });
        if (name == NULL)
            fail_msg("nothing was found for %s", texts[i].encoding);
        charset_convert(name, (struct span){ bytes.p, bytes.n }, &again);
        if (strcmp(again.p, texts[i].text) != 0)
            fail_msg("%s was taken for %s: %s", texts[i].encoding, name, again.p);
        buf_release(&bytes);
        buf_release(&again);
    }
}

static const char *guess(const char *bytes) { return charset_guess(span_of(bytes)); }

static void what_says_nothing_is_not_guessed(void **state)
{
    assert_string_equal(guess("plain"), CHARSET_UTF8);
    assert_string_equal(guess(""), CHARSET_UTF8);
    assert_string_equal(guess("mostly \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 \xff"), CHARSET_UTF8);
    assert_null(guess("\377\376\001bad\377\377\377"));
    assert_string_equal(guess("the patient\x92s \x93good\x94 days \x96 at 37.5\xb0"), CHARSET_WESTERN);
}

static void labels_are_those_of_pages(void **state)
{
    assert_string_equal(charset_of_label("Windows-1251", 12), "CP1251");
    assert_string_equal(charset_of_label("UTF8", 4), CHARSET_UTF8);
    assert_string_equal(charset_of_label("latin1", 6), CHARSET_WESTERN);
    assert_null(charset_of_label("UTF-7", 5));
    assert_null(charset_of_label("", 0));
}

static void large_texts_cost_no_more_than_their_beginning(void **state)
{
    struct buf b = { 0 };
    clock_t start;

    for (int i = 0; i < (8 << 20); i++)
        buf_addc(&b, (char)(128 + i * 7 % 128));
    start = clock();
    for (int i = 0; i < 20; i++)
        charset_guess((struct span){ b.p, b.n });
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 20);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_tells_its_encoding),
        cmocka_unit_test(what_says_nothing_is_not_guessed),
        cmocka_unit_test(labels_are_those_of_pages),
        cmocka_unit_test(large_texts_cost_no_more_than_their_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
