/*
 * measure: how the benches time and report. A metric and its reference are timed in turn, round by
 * round, in one process, so that the machine's moods fall on both; the figures are medians over the
 * rounds, the ratio the median of the rounds' ratios.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>

typedef void measured(void *context, unsigned long count); /* does the thing count times */

struct metric {
    const char *name, *unit;
    measured *run;
    void *context;
    const char *reference;
    measured *reference_run;
    void *reference_context;
    double scale;                           /* nanoseconds an operation to the unit */
    void (*reference_begin)(void *context); /* around it, not timed; NULL: nothing to do */
    void (*reference_end)(void *context);
};

/* Only this metric is measured from now on; NULL: all. */
void measure_only(const char *name);
int is_measured(const char *name);
/* Prints one line: name value unit reference reference_value ratio. */
void measure(const struct metric *metric);
/* For what is not a loop. */
void report(const char *name, double value, const char *unit, const char *reference,
            double reference_value);
void report_ratio(const char *name, double value, const char *unit, const char *reference,
                  double reference_value, double ratio);
double now_ns(void);
double median(double *values, unsigned count);

#endif
