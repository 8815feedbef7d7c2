/* The engine interface on top of the interpreter of TensorFlow Lite Micro. */
#include "engine.h"
#ifdef HIL_PROFILE
#include "marks.h"
#include "model_config.h"
#endif
#include "tflm.h"
#include "tflm_model.h"

#include <cstddef>
#include <new>

#include "tensorflow/lite/micro/memory_helpers.h"
#include "tensorflow/lite/micro/memory_planner/linear_memory_planner.h"
#include "tensorflow/lite/micro/micro_allocator.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"
#ifdef HIL_PROFILE
#include "tensorflow/lite/schema/schema_utils.h"
#endif

namespace {

using Resolver = tflite::MicroMutableOpResolver<TFLM_OPERATOR_COUNT>;

/* Gives engine_tensor() access to tensors other than the inputs and outputs. */
class Interpreter : public tflite::MicroInterpreter {
  public:
    using tflite::MicroInterpreter::context;
    using tflite::MicroInterpreter::MicroInterpreter;
};

/* Storage for an object that is constructed when it is needed and never destroyed, so it needs no code at exit. */
template <typename T> class Storage {
  public:
    template <typename... Arguments> T &make(Arguments &&...arguments) {
        return *new (bytes_) T(static_cast<Arguments &&>(arguments)...);
    }

  private:
    alignas(T) unsigned char bytes_[sizeof(T)];
};

alignas(TFLM_ARENA_ALIGNMENT) uint8_t own_arena[TFLM_ARENA_BYTES];
Storage<Resolver> resolver_storage;
Storage<Interpreter> interpreter_storage;

Resolver *resolver;
Interpreter *interpreter;
uint32_t arena_bytes;
hil_tensor_t inputs[TFLM_INPUT_COUNT];
hil_tensor_t outputs[TFLM_OUTPUT_COUNT];

bool add_operators() {
#define TFLM_ADD(name) resolver->Add##name() == kTfLiteOk &&
    return TFLM_OPERATORS(TFLM_ADD) true;
#undef TFLM_ADD
}

/* Tensors share the arena as tightly as the library can, but in debug builds not at all, so that all can be read. */
tflite::MicroAllocator *make_allocator(uint8_t *arena, uint32_t bytes) {
#ifdef HIL_DEBUG
    static Storage<tflite::LinearMemoryPlanner> planner_storage;
    return tflite::MicroAllocator::Create(arena, bytes, &planner_storage.make());
#else
    return tflite::MicroAllocator::Create(arena, bytes);
#endif
}

/* Describes `tensor`, which has the index `index` in the .tflite. */
bool describe(const tflite::SubGraph &graph, int32_t index, const TfLiteTensor *tensor, hil_tensor_t &to) {
    if (tensor == nullptr || tensor->dims->size > HIL_MAX_RANK) {
        return false;
    }
    to.type = static_cast<uint8_t>(graph.tensors()->Get(static_cast<uint32_t>(index))->type());
    to.rank = static_cast<uint8_t>(tensor->dims->size);
    for (int i = 0; i < tensor->dims->size; i++) {
        to.dims[i] = static_cast<uint16_t>(tensor->dims->data[i]);
    }
    to.scale = tensor->params.scale;
    to.zero_point = tensor->params.zero_point;
    to.data = tensor->data.data;
    to.bytes = static_cast<uint32_t>(tensor->bytes);
    return true;
}

bool describe_ends(const tflite::SubGraph &graph) {
    bool known = true;
    for (uint32_t i = 0; i < TFLM_INPUT_COUNT; i++) {
        const int32_t index = graph.inputs()->Get(i);
        known = known && describe(graph, index, interpreter->input(i), inputs[i]);
    }
    for (uint32_t i = 0; i < TFLM_OUTPUT_COUNT; i++) {
        const int32_t index = graph.outputs()->Get(i);
        known = known && describe(graph, index, interpreter->output(i), outputs[i]);
    }
    return known;
}

} // namespace

/* Failed checks of the library end in the fault handler. The abort() of newlib would bring in signals and a heap. */
extern "C" [[noreturn]] void abort(void) {
    __builtin_trap();
}

bool tflm_start(uint8_t *arena, uint32_t bytes) {
    resolver = &resolver_storage.make();
    tflite::MicroAllocator *allocator = make_allocator(arena, bytes);
    if (!add_operators() || allocator == nullptr) {
        return false;
    }
    const tflite::Model *model = tflite::GetModel(tflm_model);
    interpreter = &interpreter_storage.make(model, *resolver, allocator);
    arena_bytes = bytes;
    return interpreter->AllocateTensors() == kTfLiteOk && describe_ends(*model->subgraphs()->Get(0));
}

const char *engine_name(void) {
    return "tflm";
}

const char *engine_version(void) {
    return TFLM_LIBRARY;
}

bool engine_init(void) {
    return tflm_start(own_arena, sizeof own_arena);
}

uint8_t engine_input_count(void) {
    return TFLM_INPUT_COUNT;
}

const hil_tensor_t *engine_inputs(void) {
    return inputs;
}

uint8_t engine_output_count(void) {
    return TFLM_OUTPUT_COUNT;
}

const hil_tensor_t *engine_outputs(void) {
    return outputs;
}

bool engine_invoke(void) {
    return interpreter->Invoke() == kTfLiteOk;
}

#ifdef HIL_PROFILE

/*
 * The library has a profiler of its own, but builds without error strings leave it out. So the kernels are exchanged
 * for one that marks a step and calls the right one. The interpreter runs the operators in the order of the .tflite.
 */
namespace {

using Invoke = TfLiteStatus (*)(TfLiteContext *, TfLiteNode *);

Invoke kernels[MODEL_STEPS];
size_t next;

TfLiteStatus invoke_in_step(TfLiteContext *context, TfLiteNode *node) {
    Invoke kernel = kernels[next++];
    step_begin();
    TfLiteStatus status = kernel(context, node);
    step_end();
    return status;
}

/* The kernel that the interpreter calls for an operator: the resolver keeps it in its own memory. */
Invoke &kernel_of(const tflite::Operator *op) {
    const auto *code = tflite::GetModel(tflm_model)->operator_codes()->Get(op->opcode_index());
    return const_cast<Invoke &>(resolver->FindOp(tflite::GetBuiltinCode(code))->invoke);
}

} // namespace

bool engine_invoke_in_steps(void) {
    const auto &operators = *tflite::GetModel(tflm_model)->subgraphs()->Get(0)->operators();
    for (uint32_t i = 0; i < operators.size(); i++) {
        kernels[i] = kernel_of(operators[i]);
    }
    for (const tflite::Operator *op : operators) {
        kernel_of(op) = invoke_in_step;
    }
    next = 0;
    const bool done = engine_invoke();
    for (uint32_t i = 0; i < operators.size(); i++) {
        kernel_of(operators[i]) = kernels[i];
    }
    return done;
}

#endif

uint32_t engine_arena_bytes(void) {
    return arena_bytes;
}

#ifdef HIL_DEBUG
bool engine_tensor(uint16_t index, const void **data, uint32_t *bytes) {
    const TfLiteContext &context = interpreter->context();
    if (index >= TFLM_TENSOR_COUNT) {
        return false;
    }
    const TfLiteEvalTensor *tensor = context.GetEvalTensor(&context, index);
    size_t length;
    if (tensor == nullptr || tensor->data.data == nullptr ||
        tflite::TfLiteEvalTensorByteLength(tensor, &length) != kTfLiteOk) {
        return false;
    }
    *data = tensor->data.data;
    *bytes = static_cast<uint32_t>(length);
    return true;
}
#else
bool engine_tensor(uint16_t, const void **, uint32_t *) {
    return false;
}
#endif
