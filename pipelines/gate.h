#ifndef TUNDISH_PIPELINES_GATE_H
#define TUNDISH_PIPELINES_GATE_H
#include "pipelines/plan.h"
enum gate_outcome { GATE_PASSED, GATE_FAILED, GATE_OPEN };
struct gate_result { enum gate_outcome outcome; double value, other, gain, low, high; size_t documents; const char *words; };
enum status gate_check(struct arena *a, const struct plan_gate *g, const char *report, struct gate_result *out);
const char *gate_outcome_word(enum gate_outcome o);
#endif
