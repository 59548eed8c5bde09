#include "model/pass.h"

/* The three views into the stacked projection. */
static struct tensor query(const struct model_config *c, struct tensor qkv)
{
    return tensor_columns(qkv, 0, c->heads * c->head_width);
}
static struct tensor key(const struct model_config *c, struct tensor qkv)
{
    return tensor_columns(qkv, c->heads * c->head_width, c->kv_heads * c->head_width);
}
static struct tensor value(const struct model_config *c, struct tensor qkv)
{
    return tensor_columns(qkv, (c->heads + c->kv_heads) * c->head_width,
                          c->kv_heads * c->head_width);
}

static struct tensor rope_table(const struct pass *p)
{
    return tensor_of(p->model->rope, DT_F32, p->model->config.context, p->model->config.head_width);
}

/* out = out0 + x w^T for the residual stream: out starts as a copy of out0. */
static enum status add_product(struct pass *p, struct tensor out, struct tensor out0,
                               struct tensor x, struct tensor w)
{
    if (out.p != out0.p)
        TRY(op_cast(p->stream, &(struct cast_args){ .out = out, .x = out0 }));
    return op_matmul(p->stream,
                     &(struct matmul_args){
                         .out = out, .a = x, .b = w, .transpose_b = true, .accumulate = true });
}

static enum status forward_attention(struct pass *p, int64_t l)
{
    const struct model *m = p->model;
    const struct model_config *c = &m->config;
    const struct layer_offsets *o = &p->offsets[l];
    struct layer_state *a = &p->layers[l];
    struct stream *s = p->stream;
    struct tensor q = query(c, a->qkv), k = key(c, a->qkv);

    TRY(op_rmsnorm(s, &(struct rmsnorm_args){ .out = a->normed1,
                                              .x = a->x,
                                              .w = model_vector(m, o->norm1, c->width),
                                              .rstd = a->rstd1,
                                              .eps = (float)c->norm_eps }));
    TRY(op_matmul(
        s, &(struct matmul_args){ .out = a->qkv,
                                  .a = a->normed1,
                                  .b = model_matrix(m, o->qkv, model_qkv_columns(c), c->width),
                                  .transpose_b = true }));
    TRY(op_rope(s, &(struct rope_args){ .x = q,
                                        .positions = p->positions,
                                        .table = rope_table(p),
                                        .head_width = c->head_width }));
    TRY(op_rope(s, &(struct rope_args){ .x = k,
                                        .positions = p->positions,
                                        .table = rope_table(p),
                                        .head_width = c->head_width }));
    TRY(op_attention(s, &(struct attention_args){ .out = a->attended,
                                                  .q = q,
                                                  .k = k,
                                                  .v = value(c, a->qkv),
                                                  .lse = a->lse,
                                                  .first = p->first,
                                                  .batch = p->B,
                                                  .heads = c->heads,
                                                  .kv_heads = c->kv_heads,
                                                  .head_width = c->head_width }));
    return add_product(p, a->middle, a->x, a->attended,
                       model_matrix(m, o->o, c->width, c->heads * c->head_width));
}

static enum status forward_mlp(struct pass *p, int64_t l, struct tensor out)
{
    const struct model *m = p->model;
    const struct model_config *c = &m->config;
    const struct layer_offsets *o = &p->offsets[l];
    struct layer_state *a = &p->layers[l];
    struct stream *s = p->stream;

    TRY(op_rmsnorm(s, &(struct rmsnorm_args){ .out = a->normed2,
                                              .x = a->middle,
                                              .w = model_vector(m, o->norm2, c->width),
                                              .rstd = a->rstd2,
                                              .eps = (float)c->norm_eps }));
    TRY(op_matmul(s, &(struct matmul_args){ .out = a->gate_up,
                                            .a = a->normed2,
                                            .b = model_matrix(m, o->gate_up, 2 * c->ff, c->width),
                                            .transpose_b = true }));
    TRY(op_swiglu(s, &(struct swiglu_args){ .out = a->inner,
                                            .gate = tensor_columns(a->gate_up, 0, c->ff),
                                            .up = tensor_columns(a->gate_up, c->ff, c->ff) }));
    return add_product(p, out, a->middle, a->inner, model_matrix(m, o->down, c->width, c->ff));
}

static enum status upload(struct pass *p, const struct pass_data *data)
{
    size_t bytes = (size_t)p->N * sizeof(int32_t);

    TRY(stream_upload(p->stream, p->ids.p, data->tokens, bytes));
    if (data->targets != NULL)
        TRY(stream_upload(p->stream, p->targets.p, data->targets, bytes));
    p->first.p = data->first == NULL ? NULL : p->first_memory;
    if (data->first != NULL)
        TRY(stream_upload(p->stream, p->first.p, data->first, bytes));
    return ST_OK;
}

enum status pass_body(struct pass *p, const struct pass_data *data)
{
    const struct model *m = p->model;
    const struct model_config *c = &m->config;

    TRY(upload(p, data));
    TRY(op_embed(p->stream,
                 &(struct embed_args){ .out = p->layers[0].x,
                                       .ids = p->ids,
                                       .table = tensor_of(m->weights + model_offset_embedding(m),
                                                          DT_F32, c->vocab, c->width) }));
    for (int64_t l = 0; l < c->layers; l++) {
        TRY(forward_attention(p, l));
        TRY(forward_mlp(p, l, l + 1 < c->layers ? p->layers[l + 1].x : p->x));
    }
    return op_rmsnorm(p->stream,
                      &(struct rmsnorm_args){ .out = p->normed,
                                              .x = p->x,
                                              .w = model_vector(m, model_offset_norm(m), c->width),
                                              .rstd = p->rstd,
                                              .eps = (float)c->norm_eps });
}

enum status pass_chunk_logits(struct pass *p, int64_t first, int64_t n)
{
    const struct model *m = p->model;

    return op_matmul(p->stream,
                     &(struct matmul_args){ .out = tensor_rows(p->logits, 0, n),
                                            .a = tensor_rows(p->normed, first, n),
                                            .b = model_matrix(m, model_offset_head(m),
                                                              m->config.vocab, m->config.width),
                                            .transpose_b = true });
}

/* ---- the head, a chunk of rows at a time: logits never exist whole ---- */

static enum status chunk_loss(struct pass *p, int64_t first, int64_t n, struct tensor dlogits,
                              float scale)
{
    TRY(pass_chunk_logits(p, first, n));
    return op_cross_entropy(
        p->stream, &(struct cross_entropy_args){ .losses = tensor_columns(p->losses, first, n),
                                                 .dlogits = dlogits,
                                                 .logits = tensor_rows(p->logits, 0, n),
                                                 .targets = tensor_columns(p->targets, first, n),
                                                 .scale = scale });
}

static enum status head_grad(struct pass *p, float scale, float *grads)
{
    const struct model *m = p->model;
    const struct model_config *c = &m->config;
    int64_t head = model_offset_head(m);

    for (int64_t first = 0; first < p->N; first += p->chunk) {
        int64_t n = p->N - first < p->chunk ? p->N - first : p->chunk;
        struct tensor d = tensor_rows(p->dlogits, 0, n);

        TRY(chunk_loss(p, first, n, d, scale));
        TRY(op_matmul(p->stream,
                      &(struct matmul_args){ .out = tensor_rows(p->dnormed, first, n),
                                             .a = d,
                                             .b = model_matrix(m, head, c->vocab, c->width) }));
        TRY(op_matmul(p->stream, &(struct matmul_args){
                                     .out = tensor_of(grads + head, DT_F32, c->vocab, c->width),
                                     .a = d,
                                     .b = tensor_rows(p->normed, first, n),
                                     .transpose_a = true,
                                     .accumulate = true }));
    }
    return ST_OK;
}

static enum status fetch_losses(struct pass *p, const struct pass_data *data)
{
    if (data->losses != NULL)
        TRY(stream_download(p->stream, data->losses, p->losses.p, (size_t)p->N * sizeof(float)));
    return stream_wait(p->stream);
}

enum status pass_forward(struct pass *p, const struct pass_data *data)
{
    TRY(pass_body(p, data));
    for (int64_t first = 0; first < p->N; first += p->chunk) {
        int64_t n = p->N - first < p->chunk ? p->N - first : p->chunk;

        TRY(chunk_loss(p, first, n, (struct tensor){ 0 }, 1));
    }
    return fetch_losses(p, data);
}

enum status pass_logits(struct pass *p, const int32_t *tokens, float *logits)
{
    int64_t V = p->model->config.vocab;

    TRY(pass_body(p, &(struct pass_data){ .tokens = tokens }));
    for (int64_t first = 0; first < p->N; first += p->chunk) {
        int64_t n = p->N - first < p->chunk ? p->N - first : p->chunk;

        TRY(pass_chunk_logits(p, first, n));
        TRY(stream_download(p->stream, logits + first * V, p->logits.p,
                            (size_t)(n * V) * sizeof(float)));
    }
    return stream_wait(p->stream);
}

/* ---- backward ---- */

/* dw += dout^T x: the gradient of w in out = x w^T. */
static enum status weight_grad(struct pass *p, float *dw, struct tensor dout, struct tensor x)
{
    return op_matmul(p->stream,
                     &(struct matmul_args){ .out = tensor_of(dw, DT_F32, dout.cols, x.cols),
                                            .a = dout,
                                            .b = x,
                                            .transpose_a = true,
                                            .accumulate = true });
}

/* The residual stream's gradient in the type that matrix products take. */
static enum status round_dx(struct pass *p)
{
    if (p->dx_any.p == p->dx.p)
        return ST_OK;
    return op_cast(p->stream, &(struct cast_args){ .out = p->dx_any, .x = p->dx });
}

static enum status backward_mlp(struct pass *p, int64_t l, float *grads)
{
    const struct model *m = p->model;
    const struct model_config *c = &m->config;
    const struct layer_offsets *o = &p->offsets[l];
    struct layer_state *a = &p->layers[l];
    struct stream *s = p->stream;

    TRY(round_dx(p));
    TRY(op_matmul(s, &(struct matmul_args){ .out = p->dinner,
                                            .a = p->dx_any,
                                            .b = model_matrix(m, o->down, c->width, c->ff) }));
    TRY(weight_grad(p, grads + o->down, p->dx_any, a->inner));
    TRY(op_swiglu_grad(
        s, &(struct swiglu_grad_args){ .dgate = tensor_columns(p->dgate_up, 0, c->ff),
                                       .dup = tensor_columns(p->dgate_up, c->ff, c->ff),
                                       .dout = p->dinner,
                                       .gate = tensor_columns(a->gate_up, 0, c->ff),
                                       .up = tensor_columns(a->gate_up, c->ff, c->ff) }));
    TRY(op_matmul(s,
                  &(struct matmul_args){ .out = p->dnormed,
                                         .a = p->dgate_up,
                                         .b = model_matrix(m, o->gate_up, 2 * c->ff, c->width) }));
    TRY(weight_grad(p, grads + o->gate_up, p->dgate_up, a->normed2));
    return op_rmsnorm_grad(
        s, &(struct rmsnorm_grad_args){ .dx = p->dx,
                                        .dw = tensor_of(grads + o->norm2, DT_F32, 1, c->width),
                                        .dout = p->dnormed,
                                        .x = a->middle,
                                        .w = model_vector(m, o->norm2, c->width),
                                        .rstd = a->rstd2 });
}

static enum status backward_attention(struct pass *p, int64_t l, float *grads)
{
    const struct model *m = p->model;
    const struct model_config *c = &m->config;
    const struct layer_offsets *o = &p->offsets[l];
    struct layer_state *a = &p->layers[l];
    struct stream *s = p->stream;
    struct tensor dq = query(c, p->dqkv), dk = key(c, p->dqkv);

    TRY(round_dx(p));
    TRY(op_matmul(s, &(struct matmul_args){
                         .out = p->dattended,
                         .a = p->dx_any,
                         .b = model_matrix(m, o->o, c->width, c->heads * c->head_width) }));
    TRY(weight_grad(p, grads + o->o, p->dx_any, a->attended));
    TRY(op_attention_grad(s, &(struct attention_grad_args){ .dq = dq,
                                                            .dk = dk,
                                                            .dv = value(c, p->dqkv),
                                                            .dout = p->dattended,
                                                            .out = a->attended,
                                                            .q = query(c, a->qkv),
                                                            .k = key(c, a->qkv),
                                                            .v = value(c, a->qkv),
                                                            .lse = a->lse,
                                                            .first = p->first,
                                                            .batch = p->B,
                                                            .heads = c->heads,
                                                            .kv_heads = c->kv_heads,
                                                            .head_width = c->head_width }));
    TRY(op_rope(s, &(struct rope_args){ .x = dq,
                                        .positions = p->positions,
                                        .table = rope_table(p),
                                        .head_width = c->head_width,
                                        .inverse = true }));
    TRY(op_rope(s, &(struct rope_args){ .x = dk,
                                        .positions = p->positions,
                                        .table = rope_table(p),
                                        .head_width = c->head_width,
                                        .inverse = true }));
    TRY(op_matmul(
        s, &(struct matmul_args){ .out = p->dnormed,
                                  .a = p->dqkv,
                                  .b = model_matrix(m, o->qkv, model_qkv_columns(c), c->width) }));
    TRY(weight_grad(p, grads + o->qkv, p->dqkv, a->normed1));
    return op_rmsnorm_grad(
        s, &(struct rmsnorm_grad_args){ .dx = p->dx,
                                        .dw = tensor_of(grads + o->norm1, DT_F32, 1, c->width),
                                        .dout = p->dnormed,
                                        .x = a->x,
                                        .w = model_vector(m, o->norm1, c->width),
                                        .rstd = a->rstd1 });
}

enum status pass_train(struct pass *p, const struct pass_data *data, float scale, float *grads)
{
    const struct model *m = p->model;
    const struct model_config *c = &m->config;

    BUG_IF(!p->gradients);
    TRY(pass_body(p, data));
    TRY(head_grad(p, scale, grads));
    TRY(stream_zero(p->stream, p->dx.p, (size_t)(p->N * c->width) * sizeof(float)));
    TRY(op_rmsnorm_grad(p->stream,
                        &(struct rmsnorm_grad_args){
                            .dx = p->dx,
                            .dw = tensor_of(grads + model_offset_norm(m), DT_F32, 1, c->width),
                            .dout = p->dnormed,
                            .x = p->x,
                            .w = model_vector(m, model_offset_norm(m), c->width),
                            .rstd = p->rstd }));
    for (int64_t l = c->layers - 1; l >= 0; l--) {
        TRY(backward_mlp(p, l, grads));
        TRY(backward_attention(p, l, grads));
    }
    TRY(op_embed_grad(
        p->stream, &(struct embed_grad_args){ .dtable = tensor_of(grads + model_offset_embedding(m),
                                                                  DT_F32, c->vocab, c->width),
                                              .dout = p->dx,
                                              .ids = p->ids }));
    return fetch_losses(p, data);
}
