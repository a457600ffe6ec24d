/* Bench: returns the input, as much as the output buffer holds. Buffered, no access needed;
 * STATUS_SUCCESS. */
#define IOCTL_BENCH_ECHO CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
/* Raises IRQL to DISPATCH_LEVEL and lowers it as often as the input, a ULONG, says. Buffered, no
 * access needed; STATUS_SUCCESS, STATUS_INVALID_PARAMETER (more than BENCH_IRQL_MOST times). */
#define BENCH_IRQL_MOST 1000000
#define IOCTL_BENCH_IRQL CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)
