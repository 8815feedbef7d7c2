/*
 * Runs FULLY_CONNECTED of a copy of TensorFlow Lite Micro on two weights of the same stored value and different scales,
 * and writes what comes out: "100 50" where it minds the scale of every output, "100 100" where it takes the first.
 */
#include "tensorflow/lite/c/builtin_op_data.h"
#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/micro/kernels/fully_connected.h"
#include "tensorflow/lite/micro/kernels/kernel_runner.h"
#include "tensorflow/lite/micro/micro_allocator.h"

#include <cstdint>
#include <cstdio>

extern "C" void DebugLog(const char *) {}

/* What the library's runner of single kernels asks for and does not use. */
namespace tflite {
MicroAllocator *MicroAllocator::Create(uint8_t *, size_t) {
    return nullptr;
}
namespace testing {
TfLiteIntArray *IntArrayFromInts(int *ints) {
    return reinterpret_cast<TfLiteIntArray *>(ints);
}
} // namespace testing
} // namespace tflite

namespace {

/* Laid out as the library's own arrays. */
struct Ints {
    int size;
    int data[2];
};
struct Floats {
    int size;
    float data[2];
};

Ints x_shape = {2, {1, 1}}, weights_shape = {2, {2, 1}}, y_shape = {2, {1, 2}};
Ints input_indices = {2, {0, 1}}, output_indices = {1, {2}};
int8_t x[] = {100}, weights[] = {100, 100}, y[] = {0, 0};
Ints zero_points = {2, {0, 0}};
Floats scales = {2, {0.01f, 0.005f}};

TfLiteIntArray *array(Ints &ints) {
    return reinterpret_cast<TfLiteIntArray *>(&ints);
}

TfLiteTensor tensor(int8_t *data, Ints &shape, float scale) {
    TfLiteTensor made = {};
    made.type = kTfLiteInt8;
    made.data.int8 = data;
    made.dims = array(shape);
    made.bytes = static_cast<size_t>(shape.data[0] * shape.data[1]);
    made.params.scale = scale;
    return made;
}

} // namespace

int main() {
    TfLiteAffineQuantization affine = {reinterpret_cast<TfLiteFloatArray *>(&scales), array(zero_points), 0};
    TfLiteTensor tensors[] = {tensor(x, x_shape, 1.0f), tensor(weights, weights_shape, 0.01f),
                              tensor(y, y_shape, 1.0f)};
    tensors[1].quantization = {kTfLiteAffineQuantization, &affine};
    TfLiteFullyConnectedParams parameters = {};
    const auto registration = tflite::Register_FULLY_CONNECTED();
    tflite::micro::KernelRunner runner(registration, tensors, 3, array(input_indices), array(output_indices),
                                       &parameters);
    if (runner.InitAndPrepare() != kTfLiteOk || runner.Invoke() != kTfLiteOk) {
        return 1;
    }
    std::printf("%d %d\n", y[0], y[1]);
    return 0;
}
