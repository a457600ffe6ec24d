/* What the conformance driver and its client share: the topics, and their control codes. */
#ifndef CONFORMANCE_PUBLIC_H
#define CONFORMANCE_PUBLIC_H

/* clang-format off */
#define CONFORMANCE_TOPICS(X)                                                                      \
    X(Events)                                                                                      \
    X(Semaphores)                                                                                  \
    X(Mutexes) X(Timers) X(TimerStates) X(Dpcs) X(Irql) X(Threads) X(Pool) X(Lookaside) X(Mdls)    \
        X(Lists) X(SharedLists) X(Interlocked) X(SharedNumbers) X(Strings) X(Conversions) X(Times) \
            X(Bitmaps) X(Registry) X(Files) X(Objects) X(WorkItems) X(Irps) X(Resources)
/* clang-format on */

#define CONFORMANCE_NUMBER(Name) Topic##Name,
enum { CONFORMANCE_TOPICS(CONFORMANCE_NUMBER) TopicCount };

/* Text out: a line for each observation, "topic.what value". */
#define IOCTL_CONFORMANCE_RUN(Topic)                                                               \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800 + (Topic), METHOD_BUFFERED, FILE_ANY_ACCESS)
/* Stays until it is cancelled. */
#define IOCTL_CONFORMANCE_WAIT                                                                     \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x900, METHOD_BUFFERED, FILE_ANY_ACCESS)
/* Bytes out: those of the input, the other way round; STATUS_BUFFER_OVERFLOW: not all. */
#define IOCTL_CONFORMANCE_TURN                                                                     \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x901, METHOD_BUFFERED, FILE_READ_ACCESS)

#endif
