/*
 * Calling a routine that a driver gave.
 *
 * Everything here follows the System V calling convention; the code of a Windows image follows
 * Microsoft's. Which of them a routine follows is told by its address: Windows images, and the
 * executive's exports in the form in which such an image sees them, lie in a range of their own.
 */
#ifndef HOST_CALL_H
#define HOST_CALL_H

#define NT_IMAGE_LOW 0x7cc000000000ull
#define NT_IMAGE_SHIFT 38 /* 256 GiB */
#define NT_IMAGE_HIGH (NT_IMAGE_LOW + (1ull << NT_IMAGE_SHIFT))

/* Written so that the test is two instructions. */
#define NT_IS_FOREIGN(routine)                                                                     \
    (((unsigned long long)(routine) >> NT_IMAGE_SHIFT) == (NT_IMAGE_LOW >> NT_IMAGE_SHIFT))

/* The same routine, of Microsoft's convention. The assembler statement keeps the compiler from
 * taking the two calls for one. */
#define NT_FOREIGN(routine)                                                                        \
    ({                                                                                             \
        __attribute__((ms_abi)) __typeof__(*(routine)) *Foreign_ =                                 \
            (__attribute__((ms_abi)) __typeof__(*(routine)) *)(routine);                           \
        __asm__("" : "+r"(Foreign_));                                                              \
        Foreign_;                                                                                  \
    })

/* Calls routine(...), whoever wrote it. */
#define NT_CALL(routine, ...)                                                                      \
    ({                                                                                             \
        __typeof__(routine) Routine_ = (routine);                                                  \
        __builtin_expect(NT_IS_FOREIGN(Routine_), 0) ? NT_FOREIGN(Routine_)(__VA_ARGS__)           \
                                                     : Routine_(__VA_ARGS__);                      \
    })
#endif
