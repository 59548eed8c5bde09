/*
 * Named tensors in safetensors files (https://github.com/huggingface/safetensors, format section):
 * u64 header length, JSON header
 * {"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {str: str}}, then the bytes. Data
 * begins at a multiple of 64 (the header is padded with spaces).
 */
#ifndef TUNDISH_STORE_TENSORS_H
#define TUNDISH_STORE_TENSORS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"

enum tensor_dtype {
    TENSOR_F32, TENSOR_BF16, TENSOR_F16, TENSOR_F64, TENSOR_I32, TENSOR_I64, TENSOR_U8,
    TENSOR_DTYPES
};
const char *tensor_dtype_name(enum tensor_dtype t);    /* "F32" */
size_t tensor_dtype_size(enum tensor_dtype t);

struct tensor_entry {
    const char *name;
    enum tensor_dtype dtype;
    int dims;              /* 0..8 */
    int64_t shape[8];
    const void *data;      /* reader: into the map, valid until close; writer: the bytes to write */
    uint64_t bytes;
};

/* Writes a file (not atomic by itself: callers write into an artifact's folder), fsynced. Entries
 * are laid out in the order given; metadata may be NULL (an object of strings). */
MUST_USE enum status tensors_write(const char *path, const struct tensor_entry *entries,
                                   size_t count, const json_t *metadata);

struct tensor_file;
/* Maps and checks a file: header at most 100 MB, offsets in range, without overlap or holes,
 * sizes that match shapes. */
MUST_USE enum status tensors_open(const char *path, struct tensor_file **out);
void tensors_close(struct tensor_file *f);
size_t tensors_count(const struct tensor_file *f);
const struct tensor_entry *tensors_at(const struct tensor_file *f, size_t i);
/* NULL: absent */
const struct tensor_entry *tensors_find(const struct tensor_file *f, const char *name);
const json_t *tensors_metadata(const struct tensor_file *f);    /* may be NULL */
/* Parses the header alone (the fuzz target): p holds the first n bytes of a file
 * of file_bytes bytes. */
MUST_USE enum status tensors_parse(const char *what, const void *p, size_t n, uint64_t file_bytes,
                                   struct tensor_file **out);

#endif
