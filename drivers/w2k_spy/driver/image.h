#define SPY_PE_HEADER_SIZE (sizeof(PVOID) == 8 ? 264 : 248)
