/*
 * The record of a run: runs/<id>.json in the work folder, whole or not at all. It is what `runs`,
 * `compare`, the report's history and the notified programs read, and it stays when artifacts are
 * removed. A run in which nothing had to be done leaves none.
 *
 *   {"tundish": 1, "run": "2026-01-31T08-00-00Z",     the id; "-2" behind it if that was taken
 *    "pipeline": "docs", "site": null, "program": "0.1.0",
 *    "begun": 1769846400.25, "seconds": 12.5,
 *    "outcome": "running" | "done" | "failed" | "gate" | "interrupted",
 *                      "running" of a run whose runner is gone: it was cut off
 *    "message": "",                                   of the failure
 *    "words": ["--set", "lr=3e-4"],                   behind the pipeline file
 *    "params": {"lr": 0.0003},
 *    "machine": {"host": "a", "jobs": 2, "threads": 2, "memory": 25000000000},
 *    "stages": [                                      in the order of the plan
 *      {"name": "train[lr=3e-4]", "uses": "train", "after": ["tokens"],
 *       "result": "ran" | "cached" | "kept" | "failed" | "stopped" | "gate" | "not run" | "left out",
 *       "why": ["option lr: 0.001 -> 0.0003"],
 *       "key": "<64 hex>" | null, "artifact": "train.lr=3e-4-0123456789ab" | null,
 *       "digest": "<64 hex>" | null,
 *       "options": {...} | null,                      of the key record (cache.h)
 *       "inputs": {...} | null,                       the same
 *       "asked": {"ranks": 1, "threads": 0, "memory": 0, "timeout": 0},
 *       "attempts": [{"begun": 0.5, "seconds": 4.1, "cpu_seconds": 7.9, "peak_memory": 123456,
 *                     "code": 0, "signal": 0, "cause": null | "timeout" ..., "log": "train-1.log"}],
 *                     begun: seconds after the run's begin; peak_memory: bytes, of its largest
 *                     process
 *       "saved_seconds": 3.9 | null,                  of a cached one: what it took when it ran
 *       "gates": [{"metric": "bits_per_byte", "outcome": "passed" | "failed" | "open",
 *                  "words": "1.61 <= 2.0", "value": 1.61}],
 *       "metrics": {...} | null}]}                    metrics.json of its artifact, numbers only
 */
#ifndef TUNDISH_PIPELINES_RUN_RECORD_H
#define TUNDISH_PIPELINES_RUN_RECORD_H

#endif
