/* Attention for AVX-512 with bf16 dot products; f32 is left to avx512_attention.c. */
#include "kernels/cpu/vec_avx512.h"

#include "kernels/cpu/vec_math.h"

#include "kernels/cpu/unit_bf16.h"

#include "kernels/cpu/simd_tile.h"

#include "kernels/cpu/simd_attention.h"
#include "kernels/cpu/simd_attention_grad.h"
#include "kernels/cpu/variants.h"

static enum status attention(struct stream *s, const struct attention_args *a)
{
    return a->q.type == DT_BF16 ? simd_attention(s, a) : cpu_avx512_attention.attention(s, a);
}

static enum status attention_grad(struct stream *s, const struct attention_grad_args *a)
{
    return a->q.type == DT_BF16 ? simd_attention_grad(s, a)
                                : cpu_avx512_attention.attention_grad(s, a);
}

const struct op_table cpu_avx512bf16_attention = {
    .name = "avx512_bf16", .attention = attention, .attention_grad = attention_grad,
};
