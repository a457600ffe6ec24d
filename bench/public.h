/* Bench: returns the input, as much as the output buffer holds. Buffered, no access needed;
 * STATUS_SUCCESS. */
#define IOCTL_BENCH_ECHO CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
