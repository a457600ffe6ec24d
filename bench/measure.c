/* How the benches time and report. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 15
#define ROUND_NS 20e6

static const char *only;

void measure_only(const char *name)
{
    only = name;
}

int is_measured(const char *name)
{
    return !only || !strcmp(only, name);
}

double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double median(double *values, unsigned count)
{
    qsort(values, count, sizeof(*values), compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double once(measured *run, void *context, unsigned long count)
{
    double start = now_ns();

    run(context, count);
    return (now_ns() - start) / (double)count;
}

/* How often, so that a round takes about ROUND_NS. Warms up on the way. */
static unsigned long calibrate(measured *run, void *context)
{
    unsigned long count = 16;

    while (count < 1ul << 30) {
        double each = once(run, context, count);

        if (each * (double)count > ROUND_NS / 4)
            return (unsigned long)(ROUND_NS / each) + 1;
        count *= 2;
    }
    return count;
}

/* Its preparations are not timed. */
static double once_reference(const struct metric *metric, unsigned long count)
{
    double each;

    if (!metric->reference_begin)
        return once(metric->reference_run, metric->reference_context, count);
    metric->reference_begin(metric->reference_context);
    each = once(metric->reference_run, metric->reference_context, count);
    metric->reference_end(metric->reference_context);
    return each;
}

void report_ratio(const char *name, double value, const char *unit, const char *reference,
                  double reference_value, double ratio)
{
    printf("%s %.4g %s %s %.4g %.4g\n", name, value, unit, reference, reference_value, ratio);
    fflush(stdout);
}

void report(const char *name, double value, const char *unit, const char *reference,
            double reference_value)
{
    report_ratio(name, value, unit, reference, reference_value,
                 reference_value > 0 ? value / reference_value : 0);
}

void measure(const struct metric *metric)
{
    double value[ROUNDS], reference[ROUNDS], ratio[ROUNDS];
    unsigned long count, reference_count;

    if (!is_measured(metric->name))
        return;
    count = calibrate(metric->run, metric->context);
    if (metric->reference_begin)
        metric->reference_begin(metric->reference_context);
    reference_count = calibrate(metric->reference_run, metric->reference_context);
    if (metric->reference_end)
        metric->reference_end(metric->reference_context);
    for (unsigned i = 0; i < ROUNDS; i++) {
        value[i] = once(metric->run, metric->context, count) * metric->scale;
        reference[i] = once_reference(metric, reference_count) * metric->scale;
        ratio[i] = value[i] / reference[i];
    }
    report_ratio(metric->name, median(value, ROUNDS), metric->unit, metric->reference,
                 median(reference, ROUNDS), median(ratio, ROUNDS));
}
