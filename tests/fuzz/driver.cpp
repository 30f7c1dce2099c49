// Runs a fuzz target without clang's libFuzzer: mutates seed models for a fixed time. Half of the mutations edit the
// protobuf message (a field, a name, a dimension: they get past the parser), half the bytes. Iteration i depends on
// seed and i alone; the input at hand is kept in a file, so that a crash leaves it behind.
//   usage: tinyml_fuzz_X SECONDS SEED MODEL...       tinyml_fuzz_X --replay FILE...
#include <google/protobuf/message.h>
#include <onnx/onnx_pb.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Random = std::mt19937_64;
using Clock = std::chrono::steady_clock;

constexpr double kSlowestSeconds = 10;  // the promise for bad input
constexpr std::int64_t kInteresting[] = {0,
                                         1,
                                         -1,
                                         2,
                                         3,
                                         7,
                                         11,
                                         16,
                                         127,
                                         128,
                                         255,
                                         65536,
                                         INT32_MAX,
                                         INT32_MIN,
                                         INT64_MAX,
                                         INT64_MIN,
                                         std::int64_t{1} << 33,
                                         std::int64_t{1} << 40};
constexpr float kFloats[] = {0, 1, -1, 1e-38F, 3e38F, 0.5F};
const char* const kStrings[] = {"",
                                "Conv",
                                "Reshape",
                                "Resize",
                                "Slice",
                                "Concat",
                                "Transpose",
                                "Gemm",
                                "Softmax",
                                "QuantizeLinear",
                                "DequantizeLinear",
                                "Constant",
                                "Pad",
                                "SAME_UPPER",
                                "linear",
                                "axis",
                                "ai.onnx",
                                "x",
                                "N"};

std::size_t below(Random& random, std::size_t n) { return n == 0 ? 0 : random() % n; }

struct Place {
  Message* message;
  const FieldDescriptor* field;
};

void collect(Message& message, std::vector<Place>& places) {
  std::vector<const FieldDescriptor*> fields;
  const auto* reflection = message.GetReflection();
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    places.push_back({&message, field});
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      collect(*reflection->MutableMessage(&message, field), places);
    } else {
      for (int i = 0; i < reflection->FieldSize(message, field); ++i)
        collect(*reflection->MutableRepeatedMessage(&message, field, i), places);
    }
  }
}

// A string of the model (so that links go elsewhere), of the list, or the old one damaged.
std::string new_string(const std::string& old, const std::vector<Place>& places, Random& random) {
  if (random() % 3 == 0) return kStrings[below(random, std::size(kStrings))];
  if (random() % 3 == 0) {
    std::string damaged = old;
    if (!damaged.empty()) damaged[below(random, damaged.size())] = static_cast<char>(random());
    if (random() % 4 == 0) damaged.resize(below(random, damaged.size() + 1));
    return damaged;
  }
  for (int attempt = 0; attempt < 20; ++attempt) {
    const Place& p = places[below(random, places.size())];
    if (p.field->type() != FieldDescriptor::TYPE_STRING) continue;
    const auto* reflection = p.message->GetReflection();
    if (!p.field->is_repeated()) return reflection->GetString(*p.message, p.field);
    const int n = reflection->FieldSize(*p.message, p.field);
    if (n > 0)
      return reflection->GetRepeatedString(*p.message, p.field,
                                           static_cast<int>(below(random, static_cast<std::size_t>(n))));
  }
  return old;
}

void set_single(const Place& p, const std::vector<Place>& places, Random& random) {
  const auto* r = p.message->GetReflection();
  const std::int64_t number = kInteresting[below(random, std::size(kInteresting))];
  switch (p.field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return r->SetInt32(
          p.message, p.field,
          static_cast<std::int32_t>(random() % 2 == 0 ? number : static_cast<std::int64_t>(random() % 23)));
    case FieldDescriptor::CPPTYPE_INT64:
      return r->SetInt64(p.message, p.field, number);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return r->SetFloat(p.message, p.field, kFloats[below(random, std::size(kFloats))]);
    case FieldDescriptor::CPPTYPE_STRING:
      return r->SetString(p.message, p.field, new_string(r->GetString(*p.message, p.field), places, random));
    case FieldDescriptor::CPPTYPE_ENUM:
      return r->SetEnumValue(p.message, p.field, static_cast<int>(random() % 16));
    default:
      return r->ClearField(p.message, p.field);
  }
}

void set_element(const Place& p, int i, const std::vector<Place>& places, Random& random) {
  const auto* r = p.message->GetReflection();
  const std::int64_t number = kInteresting[below(random, std::size(kInteresting))];
  switch (p.field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return r->SetRepeatedInt32(p.message, p.field, i, static_cast<std::int32_t>(number));
    case FieldDescriptor::CPPTYPE_INT64:
      return r->SetRepeatedInt64(p.message, p.field, i, number);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return r->SetRepeatedFloat(p.message, p.field, i, kFloats[below(random, std::size(kFloats))]);
    case FieldDescriptor::CPPTYPE_STRING:
      return r->SetRepeatedString(p.message, p.field, i,
                                  new_string(r->GetRepeatedString(*p.message, p.field, i), places, random));
    default:
      return;
  }
}

void edit(const Place& p, const std::vector<Place>& places, Random& random) {
  const auto* r = p.message->GetReflection();
  if (!p.field->is_repeated()) return set_single(p, places, random);
  const int n = r->FieldSize(*p.message, p.field);
  const int i = static_cast<int>(below(random, static_cast<std::size_t>(n)));
  switch (random() % 4) {
    case 0:
      return r->RemoveLast(p.message, p.field);
    case 1:
      return r->SwapElements(p.message, p.field, i, n - 1);
    case 2:
      if (p.field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
        return r->AddMessage(p.message, p.field)->CopyFrom(r->GetRepeatedMessage(*p.message, p.field, i));
      [[fallthrough]];
    default:
      return set_element(p, i, places, random);
  }
}

std::string edit_message(const std::string& seed, Random& random) {
  ::onnx::ModelProto model;
  if (!model.ParseFromString(seed)) return seed;
  for (std::size_t edits = 1 + below(random, 3); edits > 0; --edits) {
    std::vector<Place> places;  // anew: an edit may remove what others point to
    collect(model, places);
    if (places.empty()) break;
    edit(places[below(random, places.size())], places, random);
  }
  return model.SerializeAsString();
}

std::string edit_bytes(std::string bytes, Random& random) {
  for (std::size_t edits = 1 + below(random, 4); edits > 0 && !bytes.empty(); --edits) {
    const std::size_t at = below(random, bytes.size());
    switch (random() % 4) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1U << (random() % 8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(random());
        break;
      case 2:
        bytes.resize(at);
        break;
      default:
        bytes.insert(at, bytes.substr(below(random, bytes.size()), below(random, 64)));
    }
  }
  return bytes;
}

std::string load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) std::fprintf(stderr, "cannot read %s\n", path.c_str()), std::exit(2);
  return {std::istreambuf_iterator<char>(file), {}};
}

double run(const std::string& input) {
  const auto start = Clock::now();
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string mutate(const std::vector<std::string>& seeds, std::uint64_t seed, std::uint64_t i) {
  std::seed_seq mixed{seed, i};
  Random random(mixed);
  const std::string& model = seeds[below(random, seeds.size())];
  return random() % 2 == 0 ? edit_message(model, random) : edit_bytes(model, random);
}

int fuzz(double seconds, std::uint64_t seed, const std::vector<std::string>& seeds, const std::string& kept) {
  const auto start = Clock::now();
  std::uint64_t i = 0;
  for (; std::chrono::duration<double>(Clock::now() - start).count() < seconds; ++i) {
    const std::string input = mutate(seeds, seed, i);
    std::ofstream(kept, std::ios::binary) << input;
    try {
      if (run(input) > kSlowestSeconds) throw std::runtime_error("it took longer than 10 seconds");
    } catch (const std::exception& error) {
      std::printf("FAIL iteration %llu of seed %llu, input in %s: %s\n", static_cast<unsigned long long>(i),
                  static_cast<unsigned long long>(seed), kept.c_str(), error.what());
      return 1;
    }
  }
  std::remove(kept.c_str());
  std::printf("%llu inputs from %zu seed models in %.0f s, seed %llu: no crash, no broken invariant\n",
              static_cast<unsigned long long>(i), seeds.size(), seconds, static_cast<unsigned long long>(seed));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string program = argv[0];
  if (argc >= 3 && std::string(argv[1]) == "--replay") {
    try {
      for (int i = 2; i < argc; ++i) std::printf("%s: %.2f s\n", argv[i], run(load(argv[i])));
      return 0;
    } catch (const std::exception& error) {
      std::printf("FAIL %s\n", error.what());
      return 1;
    }
  }
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s SECONDS SEED MODEL...  |  %s --replay FILE...\n", argv[0], argv[0]);
    return 2;
  }
  std::vector<std::string> seeds;
  for (int i = 3; i < argc; ++i) seeds.push_back(load(argv[i]));
  std::printf("seed %s\n", argv[2]);
  return fuzz(std::strtod(argv[1], nullptr), std::strtoull(argv[2], nullptr, 10), seeds, program + ".input");
}
