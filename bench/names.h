/* names: the bench of opening one of many names, and what its other processes do. */
#ifndef NAMES_H
#define NAMES_H

void measure_names(void);
/* The process that holds the names Part, Part + 4, ... */
int names_hold(unsigned Part);

#endif
