// What golden vectors are made of: a sample of a batch as the device's input takes it.
#include "lib/device/simulate.h"

#include "lib/support/error.h"
#include "tests/unit/device/device_test.h"

namespace tinyml::test {

TEST_CASE("a port takes as many samples as it has, or none", "[device]") {
  ProgramPort port;
  port.name = "x";
  port.dtype = DType::i8;
  port.dims = port.onnx_dims = {2, 3};
  port.layout = {0, 1};
  port.quant = QuantParams{DType::i8, {0.5F}, {1}, -1};
  const Tensor batch = Tensor::from<float>({4, 3}, std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  CHECK(port_sample(batch, port, 1) ==
        Tensor::from<std::int8_t>({2, 3}, std::vector<std::int8_t>{13, 15, 17, 19, 21, 23}));
  CHECK_THROWS_AS(port_sample(batch, port, 2), Error);
  const Tensor one = Tensor::from<float>({1, 3}, std::vector<float>{0, 1, 2});
  CHECK_THROWS_AS(port_sample(one, port, 0), Error);
}

}  // namespace tinyml::test
