/* What the front door refuses: a wrong shape, type or stride stops the program instead of reading
 * past an operand. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernels/backend.h"
#include "kernels/ops.h"

static struct device *device;
static struct stream *stream;
static float memory[4096];
static int32_t ids[8] = { 0, 1, 2, 3, 0, 1, 2, 3 };

static int open_stream(void **state)
{
    return device_open("cpu", &device) != ST_OK || stream_open(device, &stream) != ST_OK;
}

static int close_stream(void **state)
{
    stream_close(stream);
    device_close(device);
    return 0;
}

/* Runs call in a child; the child must abort. */
static void assert_refused(void (*call)(void))
{
    int status;

    fflush(NULL);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        signal(SIGABRT, SIG_DFL);
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(2);
        call();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static struct tensor f32(int64_t rows, int64_t cols)
{
    return tensor_of(memory, DT_F32, rows, cols);
}
static struct tensor i32(int64_t n) { return tensor_of(ids, DT_I32, 1, n); }

static void run(enum status st) { _exit(st == ST_OK ? 0 : 1); }

static void inner_dimensions_differ(void)
{
    run(op_matmul(stream,
                  &(struct matmul_args){ .out = f32(2, 3), .a = f32(2, 4), .b = f32(5, 3) }));
}
static void types_differ(void)
{
    run(op_matmul(stream, &(struct matmul_args){ .out = f32(2, 3),
                                                 .a = f32(2, 4),
                                                 .b = tensor_of(memory, DT_BF16, 4, 3) }));
}
static void accumulates_into_bf16(void)
{
    run(op_matmul(stream, &(struct matmul_args){ .out = tensor_of(memory, DT_BF16, 2, 3),
                                                 .a = f32(2, 4),
                                                 .b = f32(4, 3),
                                                 .accumulate = true }));
}
static void stride_is_too_narrow(void)
{
    struct tensor x = f32(4, 8);

    x.stride = 7;
    run(op_add(stream, &(struct add_args){ .out = f32(4, 8), .x = x, .alpha = 1 }));
}
static void token_is_not_in_the_table(void)
{
    run(op_embed(stream,
                 &(struct embed_args){ .out = f32(4, 8), .table = f32(3, 8), .ids = i32(4) }));
}
static void target_is_not_in_the_vocabulary(void)
{
    run(op_cross_entropy(
        stream, &(struct cross_entropy_args){
                    .losses = f32(1, 4), .logits = f32(4, 3), .targets = i32(4), .scale = 1 }));
}
static void heads_do_not_divide(void)
{
    run(op_attention(stream, &(struct attention_args){ .out = f32(4, 24),
                                                       .q = f32(4, 24),
                                                       .k = f32(4, 16),
                                                       .v = f32(4, 16),
                                                       .batch = 1,
                                                       .heads = 3,
                                                       .kv_heads = 2,
                                                       .head_width = 8 }));
}
static void position_is_not_in_the_rope_table(void)
{
    run(op_rope(stream,
                &(struct rope_args){
                    .x = f32(4, 8), .positions = i32(4), .table = f32(2, 8), .head_width = 8 }));
}
static void page_is_not_in_the_cache(void)
{
    static float cache[64];
    const struct kv_pages pages = { cache, DT_F32, 2, 4 };

    run(op_cache_store(stream, &(struct cache_store_args){ .k_cache = pages,
                                                           .v_cache = pages,
                                                           .k = f32(4, 8),
                                                           .v = f32(4, 8),
                                                           .pages = tensor_of(ids, DT_I32, 1, 4),
                                                           .sequences = i32(4),
                                                           .positions = i32(4) }));
}

static void wrong_operands_are_refused(void **state)
{
    assert_refused(inner_dimensions_differ);
    assert_refused(types_differ);
    assert_refused(accumulates_into_bf16);
    assert_refused(stride_is_too_narrow);
    assert_refused(token_is_not_in_the_table);
    assert_refused(target_is_not_in_the_vocabulary);
    assert_refused(heads_do_not_divide);
    assert_refused(position_is_not_in_the_rope_table);
    assert_refused(page_is_not_in_the_cache);
}

static void empty_products_are_zero(void **state)
{
    float out[6] = { 1, 2, 3, 4, 5, 6 };
    const struct tensor o = tensor_of(out, DT_F32, 2, 3), a = tensor_of(memory, DT_F32, 2, 0),
                        b = tensor_of(memory, DT_F32, 0, 3);

    assert_int_equal(
        op_matmul(stream, &(struct matmul_args){ .out = o, .a = a, .b = b, .accumulate = true }),
        ST_OK);
    assert_true(out[0] == 1 && out[5] == 6);
    assert_int_equal(op_matmul(stream, &(struct matmul_args){ .out = o, .a = a, .b = b }), ST_OK);
    for (int i = 0; i < 6; i++)
        assert_true(out[i] == 0);
}

static void devices_that_are_not_there_say_why(void **state)
{
    struct device *d = NULL;

    assert_int_equal(device_open("cuda", &d), ST_UNSUPPORTED);
    assert_string_equal(fail_message(), "this program was built without CUDA");
    assert_int_equal(device_open("tpu", &d), ST_CONFIG);
    assert_non_null(strstr(fail_message(), "'tpu'"));
    assert_int_equal(device_open("auto", &d), ST_OK);
    assert_string_equal(device_name(d), "cpu");
    device_close(d);
}

static void the_numeric_class_names_type_and_variant(void **state)
{
    assert_memory_equal(device_numeric_class(device, DT_F32), "cpu-f32-", 8);
    assert_memory_equal(device_numeric_class(device, DT_BF16), "cpu-bf16-", 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_operands_are_refused),
        cmocka_unit_test(empty_products_are_zero),
        cmocka_unit_test(devices_that_are_not_there_say_why),
        cmocka_unit_test(the_numeric_class_names_type_and_variant),
    };
    return cmocka_run_group_tests(tests, open_stream, close_stream);
}
