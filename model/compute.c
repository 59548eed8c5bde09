#include "model/compute.h"

const char *const compute_names[] = { "f32", "bf16", "auto", NULL };

enum dtype compute_type(int compute, const struct device *d)
{
    if (compute == COMPUTE_AUTO)
        return device_has_fast(d, DT_BF16) ? DT_BF16 : DT_F32;
    return compute == COMPUTE_BF16 ? DT_BF16 : DT_F32;
}

const char *compute_numeric_class(const char *device, int compute)
{
    struct device *d;
    const char *name;

    if (device_open(device == NULL ? "auto" : device, &d) != ST_OK)
        return NULL;
    name = device_numeric_class(d, compute_type(compute, d));
    device_close(d);
    return name;
}
