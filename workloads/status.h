/* workloads/status.h - how every function of the project reports failure. */
#ifndef LPU_WORKLOADS_STATUS_H
#define LPU_WORKLOADS_STATUS_H

/* Zero is success, negative is failure, positive is a normal end. */
typedef enum lpu_status {
    LPU_OK          = 0,
    LPU_DONE        = 1,  /* the program has halted, or the file has ended */
    LPU_ERR_MEMORY  = -1, /* allocation failed */
    LPU_ERR_IO      = -2, /* the operating system refused */
    LPU_ERR_FORMAT  = -3, /* the input is not what it claims to be */
    LPU_ERR_RANGE   = -4, /* the input is sound, but this machine cannot hold it */
    LPU_ERR_TIMEOUT = -5, /* max_cycles passed */
} lpu_status;

/* One line for a person: "decode.trace:12: rows is 0, expected 1 to 65535". */
typedef struct lpu_diag {
    char text[512];
} lpu_diag;

/* Writes the line into diag, if there is one, and returns status: `return lpu_fail(...)`. */
lpu_status lpu_fail(lpu_diag *diag, lpu_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
