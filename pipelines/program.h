#ifndef TUNDISH_PIPELINES_PROGRAM_H
#define TUNDISH_PIPELINES_PROGRAM_H
#include "pipelines/plan.h"
extern const struct command stage_program;
const char **program_argv(struct arena *a, const struct plan_stage *s, const char *out, long long threads);
#endif
