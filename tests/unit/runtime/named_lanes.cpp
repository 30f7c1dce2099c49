// named_lanes.cpp: depthwise convolution and average pooling compiled the way a Cortex-M compiles them (lanes.h), under
// other names, so that the tests on the host cover that form too.
#define TML_NAMED_LANES
#define tml_depthwise_conv2d_s8 tml_depthwise_conv2d_s8_named_lanes
#define tml_avg_pool2d_s8 tml_avg_pool2d_s8_named_lanes
#include "lib/runtime/kernels/avg_pool2d_s8.c"
#include "lib/runtime/kernels/depthwise_conv2d_s8.c"
