/*
 * The data type of matrix products, as commands name it (--dtype f32, bf16 or auto).
 */
#ifndef TUNDISH_MODEL_COMPUTE_H
#define TUNDISH_MODEL_COMPUTE_H

#include "kernels/device.h"

enum compute { COMPUTE_F32, COMPUTE_BF16, COMPUTE_AUTO };
extern const char *const compute_names[]; /* for OPT_CHOICE, in the order of the enum */

/* auto is bf16 where the hardware has it, else f32. */
enum dtype compute_type(int compute, const struct device *d);
/* struct command's numeric_class for these two options; device NULL is "auto". NULL when there is
 * no such device. */
const char *compute_numeric_class(const char *device, int compute);

#endif
