/* In the place of the CUDA backend where the program is built without it. */
#include "kernels/backend.h"

enum status backend_cuda(const struct backend **out)
{
    *out = NULL;
    return fail(ST_UNSUPPORTED, "this program was built without CUDA");
}
