/* Helpers of the float32 kernels. */
#ifndef AOT_FLOAT_H
#define AOT_FLOAT_H

/* value limited to minimum..maximum (a fused activation); NaN stays NaN. */
static inline float aot_limit(float value, float minimum, float maximum) {
    const float raised = value < minimum ? minimum : value;
    return maximum < raised ? maximum : raised;
}

/* Executes `statement` n times, four times per iteration; n is 0 afterwards. */
#define AOT_REPEAT(n, statement)                                                                                       \
    for (; (n) >= 4; (n) -= 4) {                                                                                       \
        statement;                                                                                                     \
        statement;                                                                                                     \
        statement;                                                                                                     \
        statement;                                                                                                     \
    }                                                                                                                  \
    for (; (n) != 0; (n)--) {                                                                                          \
        statement;                                                                                                     \
    }

#endif
