// The table of kernels and of their records' fields. Types, offsets and sizes are deduced; that no field of a record is
// forgotten is checked at compile time by counting its initializers.
#include "lib/device/kernels.h"

#include <array>
#include <string>
#include <type_traits>
#include <utility>

#include "lib/support/error.h"

namespace tinyml {
namespace {

template <class Member>
constexpr KernelField make_field(std::string_view name, std::size_t offset) {
  using Element = std::remove_all_extents_t<Member>;
  KernelField field;
  field.name = name;
  field.offset = offset;
  field.count = sizeof(Member) / sizeof(Element);
  field.element_size = sizeof(Element);
  field.is_pointer = std::is_pointer_v<Element>;
  field.element = DTypeOf<std::remove_cv_t<std::remove_pointer_t<Element>>>::value;
  return field;
}

// Stands for any initializer, to count how many a record takes (each element of an array is one).
struct Any {
  template <class T>
  requires(!std::is_array_v<T>) constexpr operator T() const;  // NOLINT: implicit on purpose, never defined
};
template <class Record, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires { Record{((void)I, Any{})...}; };
}
template <class Record, std::size_t Fields>
constexpr bool covers(const std::array<KernelField, Fields>& fields) {
  std::size_t end = 0;
  for (const KernelField& field : fields) {
    if (field.offset < end) return false;
    end = field.offset + field.count * field.element_size;
  }
  return end <= sizeof(Record);
}
template <std::size_t Fields>
constexpr std::size_t initializers(const std::array<KernelField, Fields>& fields) {
  std::size_t sum = 0;
  for (const KernelField& field : fields) sum += field.count;
  return sum;
}

#define FIELD(member) make_field<decltype(Record::member)>(#member, offsetof(Record, member))
// Opens the fields of a record; RECORD_END checks that they are all of it.
#define RECORD_BEGIN(type)                    \
  namespace type##_description {              \
    using Record = ::type;                    \
    constexpr std::string_view kName = #type; \
  constexpr auto kFields = std::to_array<KernelField>({
#define RECORD_END                                                                                               \
  });                                                                                                            \
  static_assert(covers<Record>(kFields));                                                                        \
  static_assert(takes<Record>(std::make_index_sequence<initializers(kFields)>{}), "a field too many");           \
  static_assert(!takes<Record>(std::make_index_sequence<initializers(kFields) + 1>{}), "a field was forgotten"); \
  constexpr KernelRecord kRecord{kName, sizeof(Record), kFields};                                                \
  }

// clang-format off
RECORD_BEGIN(tml_conv2d_params)
  FIELD(weights), FIELD(bias), FIELD(multipliers), FIELD(batches), FIELD(in_h), FIELD(in_w), FIELD(in_c), FIELD(out_h),
  FIELD(out_w), FIELD(out_c), FIELD(groups), FIELD(kernel_h), FIELD(kernel_w), FIELD(stride_h), FIELD(stride_w),
  FIELD(dilation_h), FIELD(dilation_w), FIELD(pad_top), FIELD(pad_left), FIELD(multiplier_step), FIELD(shift),
  FIELD(in_zero), FIELD(out_zero), FIELD(clamp_min), FIELD(clamp_max), FIELD(out_gap),
RECORD_END
RECORD_BEGIN(tml_conv2d_dsp_params)
  FIELD(stream), FIELD(add_bias), FIELD(add_multiplier), FIELD(residual_multiplier), FIELD(batches), FIELD(in_h),
  FIELD(in_w), FIELD(in_c), FIELD(out_h), FIELD(out_w), FIELD(out_c), FIELD(kernel_h), FIELD(kernel_w),
  FIELD(stride_h), FIELD(stride_w), FIELD(dilation_h), FIELD(dilation_w), FIELD(pad_top), FIELD(pad_left),
  FIELD(shift), FIELD(in_zero), FIELD(out_zero), FIELD(clamp_min), FIELD(clamp_max), FIELD(add_shift), FIELD(add_zero),
  FIELD(add_min), FIELD(add_max),
RECORD_END
RECORD_BEGIN(tml_depthwise_dsp_params)
  FIELD(stream), FIELD(multiplier), FIELD(batches), FIELD(in_h), FIELD(in_w), FIELD(channels),
  FIELD(out_h), FIELD(out_w), FIELD(pad_top), FIELD(pad_left), FIELD(band_rows), FIELD(multiplier_step), FIELD(code_shift),
  FIELD(in_zero), FIELD(out_zero), FIELD(clamp_min), FIELD(clamp_max),
RECORD_END
RECORD_BEGIN(tml_depthwise_mve_params)
  FIELD(stream), FIELD(in_h), FIELD(in_w), FIELD(channels), FIELD(out_h), FIELD(out_w), FIELD(kernel_h),
  FIELD(kernel_w), FIELD(stride_h), FIELD(stride_w), FIELD(dilation_h), FIELD(dilation_w), FIELD(pad_top),
  FIELD(pad_left), FIELD(block_h), FIELD(block_w), FIELD(halves), FIELD(in_zero), FIELD(out_zero), FIELD(clamp_min),
  FIELD(clamp_max),
RECORD_END
RECORD_BEGIN(tml_fully_connected_params)
  FIELD(weights), FIELD(bias), FIELD(multipliers), FIELD(rows), FIELD(in_features), FIELD(out_features),
  FIELD(multiplier_step), FIELD(shift), FIELD(in_zero), FIELD(out_zero), FIELD(clamp_min), FIELD(clamp_max),
RECORD_END
RECORD_BEGIN(tml_fully_connected_dsp_params)
  FIELD(stream), FIELD(rows), FIELD(in_features), FIELD(out_features), FIELD(out_zero), FIELD(clamp_min),
  FIELD(clamp_max), FIELD(shift),
RECORD_END
RECORD_BEGIN(tml_matmul_params)
  FIELD(a_const), FIELD(b_const), FIELD(bias), FIELD(batches), FIELD(m), FIELD(k), FIELD(n), FIELD(a_batch_stride),
  FIELD(a_row_stride), FIELD(a_col_stride), FIELD(b_batch_stride), FIELD(b_row_stride), FIELD(b_col_stride),
  FIELD(multiplier), FIELD(shift), FIELD(a_zero), FIELD(b_zero), FIELD(out_zero), FIELD(clamp_min), FIELD(clamp_max),
RECORD_END
RECORD_BEGIN(tml_lut_params)
  FIELD(table), FIELD(count),
RECORD_END
RECORD_BEGIN(tml_binary_params)
  FIELD(a_const), FIELD(b_const), FIELD(table), FIELD(dims), FIELD(a_strides), FIELD(b_strides),
  FIELD(a_multiplier), FIELD(b_multiplier), FIELD(shift), FIELD(a_zero), FIELD(b_zero), FIELD(out_zero),
  FIELD(clamp_min), FIELD(clamp_max),
RECORD_END
RECORD_BEGIN(tml_sum_params)
  FIELD(multipliers), FIELD(zeros), FIELD(inputs), FIELD(count), FIELD(shift), FIELD(out_zero), FIELD(clamp_min),
  FIELD(clamp_max),
RECORD_END
RECORD_BEGIN(tml_prelu_params)
  FIELD(negative), FIELD(count), FIELD(period), FIELD(positive), FIELD(shift), FIELD(in_zero), FIELD(out_zero),
  FIELD(clamp_min), FIELD(clamp_max),
RECORD_END
RECORD_BEGIN(tml_softmax_params)
  FIELD(exp_table), FIELD(log2_table), FIELD(outer), FIELD(depth), FIELD(inner), FIELD(table_size),
  FIELD(out_multiplier), FIELD(x_multiplier), FIELD(ln2_multiplier), FIELD(out_zero), FIELD(clamp_min),
  FIELD(clamp_max),
RECORD_END
RECORD_BEGIN(tml_pool2d_params)
  FIELD(multipliers), FIELD(batches), FIELD(in_h), FIELD(in_w), FIELD(channels), FIELD(out_h), FIELD(out_w),
  FIELD(kernel_h), FIELD(kernel_w), FIELD(stride_h), FIELD(stride_w), FIELD(dilation_h), FIELD(dilation_w),
  FIELD(pad_top), FIELD(pad_left), FIELD(count_min), FIELD(shift), FIELD(in_zero), FIELD(out_zero), FIELD(clamp_min),
  FIELD(clamp_max),
RECORD_END
RECORD_BEGIN(tml_reduce_params)
  FIELD(keep_dims), FIELD(keep_strides), FIELD(reduce_dims), FIELD(reduce_strides), FIELD(multiplier), FIELD(shift),
  FIELD(in_zero), FIELD(out_zero), FIELD(clamp_min), FIELD(clamp_max),
RECORD_END
RECORD_BEGIN(tml_argmax_params)
  FIELD(outer), FIELD(depth), FIELD(inner), FIELD(out_bytes), FIELD(select_last),
RECORD_END
RECORD_BEGIN(tml_copy_params)
  FIELD(in_const), FIELD(table), FIELD(dims), FIELD(in_strides), FIELD(out_strides), FIELD(in_offset), FIELD(out_offset),
  FIELD(element_bytes),
RECORD_END
RECORD_BEGIN(tml_remap_params)
  FIELD(index), FIELD(in_dims), FIELD(out_dims), FIELD(fill),
RECORD_END
RECORD_BEGIN(tml_gather_params)
  FIELD(data_const), FIELD(outer), FIELD(axis), FIELD(count), FIELD(inner), FIELD(index_bytes),
RECORD_END
RECORD_BEGIN(tml_resize_linear_params)
  FIELD(y_low), FIELD(y_high), FIELD(y_weight), FIELD(x_low), FIELD(x_high), FIELD(x_weight), FIELD(batches),
  FIELD(in_h), FIELD(in_w), FIELD(out_h), FIELD(out_w), FIELD(channels), FIELD(multiplier), FIELD(shift),
  FIELD(in_zero), FIELD(out_zero), FIELD(clamp_min), FIELD(clamp_max),
RECORD_END

RECORD_BEGIN(tml_conv2d_s16_params)
  FIELD(weights), FIELD(bias), FIELD(multipliers), FIELD(batches), FIELD(in_h), FIELD(in_w), FIELD(in_c), FIELD(out_h),
  FIELD(out_w), FIELD(out_c), FIELD(groups), FIELD(kernel_h), FIELD(kernel_w), FIELD(stride_h), FIELD(stride_w),
  FIELD(dilation_h), FIELD(dilation_w), FIELD(pad_top), FIELD(pad_left), FIELD(clamp_min), FIELD(clamp_max),
  FIELD(multiplier_step), FIELD(shift),
RECORD_END
RECORD_BEGIN(tml_conv2d_s16_dsp_params)
  FIELD(stream), FIELD(batches), FIELD(in_h), FIELD(in_w), FIELD(in_c), FIELD(out_h), FIELD(out_w), FIELD(out_c),
  FIELD(kernel_h), FIELD(kernel_w), FIELD(stride_h), FIELD(stride_w), FIELD(dilation_h), FIELD(dilation_w),
  FIELD(pad_top), FIELD(pad_left), FIELD(clamp_min), FIELD(clamp_max),
RECORD_END
RECORD_BEGIN(tml_fully_connected_s16_dsp_params)
  FIELD(stream), FIELD(rows), FIELD(in_features), FIELD(out_features), FIELD(clamp_min), FIELD(clamp_max),
RECORD_END
RECORD_BEGIN(tml_depthwise_s16_dsp_params)
  FIELD(stream), FIELD(multiplier), FIELD(batches), FIELD(in_h), FIELD(in_w), FIELD(channels), FIELD(out_h),
  FIELD(out_w), FIELD(pad_top), FIELD(pad_left), FIELD(band_rows), FIELD(clamp_min), FIELD(clamp_max),
  FIELD(multiplier_step),
RECORD_END
RECORD_BEGIN(tml_pool2d_s16_params)
  FIELD(multipliers), FIELD(batches), FIELD(in_h), FIELD(in_w), FIELD(channels), FIELD(out_h), FIELD(out_w),
  FIELD(kernel_h), FIELD(kernel_w), FIELD(stride_h), FIELD(stride_w), FIELD(dilation_h), FIELD(dilation_w),
  FIELD(pad_top), FIELD(pad_left), FIELD(count_min), FIELD(clamp_min), FIELD(clamp_max), FIELD(shift),
RECORD_END
RECORD_BEGIN(tml_binary_s16_params)
  FIELD(a_const), FIELD(b_const), FIELD(dims), FIELD(a_strides), FIELD(b_strides), FIELD(a_multiplier),
  FIELD(b_multiplier), FIELD(clamp_min), FIELD(clamp_max), FIELD(shift),
RECORD_END
RECORD_BEGIN(tml_rescale_params)
  FIELD(count), FIELD(multiplier), FIELD(clamp_min), FIELD(clamp_max), FIELD(in_zero), FIELD(out_zero), FIELD(shift),
RECORD_END
RECORD_BEGIN(tml_table_s16_params)
  FIELD(table), FIELD(count), FIELD(bits),
RECORD_END
RECORD_BEGIN(tml_softmax_s16_params)
  FIELD(exp_table), FIELD(outer), FIELD(depth), FIELD(inner), FIELD(x_multiplier), FIELD(out_multiplier),
  FIELD(clamp_min), FIELD(clamp_max), FIELD(x_shift),
RECORD_END
RECORD_BEGIN(tml_reduce_s16_params)
  FIELD(keep_dims), FIELD(keep_strides), FIELD(reduce_dims), FIELD(reduce_strides), FIELD(multiplier),
  FIELD(clamp_min), FIELD(clamp_max), FIELD(shift),
RECORD_END

#define KERNEL(function, record) KernelInfo{#function, function, &record##_description::kRecord}
constexpr auto kKernels = std::to_array<KernelInfo>({
  KERNEL(tml_conv2d_s8, tml_conv2d_params),
  KERNEL(tml_conv2d_s8_dsp, tml_conv2d_dsp_params),
  KERNEL(tml_conv2d_short_s8_dsp, tml_conv2d_dsp_params),
  KERNEL(tml_conv2d_s8_mve, tml_conv2d_dsp_params),
  KERNEL(tml_depthwise_conv2d_s8, tml_conv2d_params),
  KERNEL(tml_depthwise3x3_s8_dsp, tml_depthwise_dsp_params),
  KERNEL(tml_depthwise3x3_stride2_s8_dsp, tml_depthwise_dsp_params),
  KERNEL(tml_depthwise_conv2d_s8_mve, tml_depthwise_mve_params),
  KERNEL(tml_conv2d_w4, tml_conv2d_params),
  KERNEL(tml_conv2d_w4_dsp, tml_conv2d_dsp_params),
  KERNEL(tml_conv2d_short_w4_dsp, tml_conv2d_dsp_params),
  KERNEL(tml_conv2d_w4_mve, tml_conv2d_dsp_params),
  KERNEL(tml_depthwise_conv2d_w4, tml_conv2d_params),
  KERNEL(tml_depthwise3x3_w4_dsp, tml_depthwise_dsp_params),
  KERNEL(tml_depthwise3x3_stride2_w4_dsp, tml_depthwise_dsp_params),
  KERNEL(tml_depthwise_conv2d_w4_mve, tml_depthwise_mve_params),
  KERNEL(tml_conv_transpose2d_s8, tml_conv2d_params),
  KERNEL(tml_fully_connected_s8, tml_fully_connected_params),
  KERNEL(tml_fully_connected_s8_dsp, tml_fully_connected_dsp_params),
  KERNEL(tml_fully_connected_lean_s8_dsp, tml_fully_connected_dsp_params),
  KERNEL(tml_fully_connected_short_s8_dsp, tml_fully_connected_dsp_params),
  KERNEL(tml_fully_connected_lean_short_s8_dsp, tml_fully_connected_dsp_params),
  KERNEL(tml_fully_connected_s8_mve, tml_fully_connected_dsp_params),
  KERNEL(tml_fully_connected_w4, tml_fully_connected_params),
  KERNEL(tml_fully_connected_w4_dsp, tml_fully_connected_dsp_params),
  KERNEL(tml_fully_connected_w4_mve, tml_fully_connected_dsp_params),
  KERNEL(tml_matmul_s8, tml_matmul_params),
  KERNEL(tml_lut_s8, tml_lut_params),
  KERNEL(tml_lut_s8_mve, tml_lut_params),
  KERNEL(tml_lut_s8_dsp, tml_lut_params),
  KERNEL(tml_add_s8, tml_binary_params),
  KERNEL(tml_add_s8_mve, tml_binary_params),
  KERNEL(tml_add_s8_dsp, tml_binary_params),
  KERNEL(tml_mul_s8, tml_binary_params),
  KERNEL(tml_mul_s8_mve, tml_binary_params),
  KERNEL(tml_mul_s8_dsp, tml_binary_params),
  KERNEL(tml_div_s8, tml_binary_params),
  KERNEL(tml_pow_s8, tml_binary_params),
  KERNEL(tml_min_s8, tml_binary_params),
  KERNEL(tml_max_s8, tml_binary_params),
  KERNEL(tml_sum_s8, tml_sum_params),
  KERNEL(tml_prelu_s8, tml_prelu_params),
  KERNEL(tml_softmax_s8, tml_softmax_params),
  KERNEL(tml_softmax_s8_mve, tml_softmax_params),
  KERNEL(tml_softmax_s8_dsp, tml_softmax_params),
  KERNEL(tml_log_softmax_s8, tml_softmax_params),
  KERNEL(tml_avg_pool2d_s8, tml_pool2d_params),
  KERNEL(tml_avg_pool2d_s8_mve, tml_pool2d_params),
  KERNEL(tml_max_pool2d_s8_mve, tml_pool2d_params),
  KERNEL(tml_avg_pool2d_s8_dsp, tml_pool2d_params),
  KERNEL(tml_max_pool2d_s8_dsp, tml_pool2d_params),
  KERNEL(tml_max_pool2d_s8, tml_pool2d_params),
  KERNEL(tml_reduce_sum_s8, tml_reduce_params),
  KERNEL(tml_reduce_max_s8, tml_reduce_params),
  KERNEL(tml_reduce_min_s8, tml_reduce_params),
  KERNEL(tml_argmax_s8, tml_argmax_params),
  KERNEL(tml_copy, tml_copy_params),
  KERNEL(tml_remap_s8, tml_remap_params),
  KERNEL(tml_gather_s8, tml_gather_params),
  KERNEL(tml_resize_linear_s8, tml_resize_linear_params),
  KERNEL(tml_conv2d_s16, tml_conv2d_s16_params),
  KERNEL(tml_conv2d_s16_dsp, tml_conv2d_s16_dsp_params),
  KERNEL(tml_fully_connected_s16_dsp, tml_fully_connected_s16_dsp_params),
  KERNEL(tml_conv2d_s16_mve, tml_conv2d_s16_params),
  KERNEL(tml_conv2d_packed_s16_mve, tml_conv2d_s16_dsp_params),
  KERNEL(tml_depthwise_conv2d_s16_mve, tml_conv2d_s16_params),
  KERNEL(tml_conv2d_wide_s16, tml_conv2d_s16_params),
  KERNEL(tml_depthwise_conv2d_s16, tml_conv2d_s16_params),
  KERNEL(tml_depthwise3x3_s16_dsp, tml_depthwise_s16_dsp_params),
  KERNEL(tml_depthwise3x3_stride2_s16_dsp, tml_depthwise_s16_dsp_params),
  KERNEL(tml_avg_pool2d_s16, tml_pool2d_s16_params),
  KERNEL(tml_max_pool2d_s16, tml_pool2d_s16_params),
  KERNEL(tml_add_s16, tml_binary_s16_params),
  KERNEL(tml_mul_s16, tml_binary_s16_params),
  KERNEL(tml_min_s16, tml_binary_s16_params),
  KERNEL(tml_max_s16, tml_binary_s16_params),
  KERNEL(tml_rescale_s8_s16, tml_rescale_params),
  KERNEL(tml_rescale_s16_s8, tml_rescale_params),
  KERNEL(tml_rescale_s16, tml_rescale_params),
  KERNEL(tml_table_s16, tml_table_s16_params),
  KERNEL(tml_softmax_s16, tml_softmax_s16_params),
  KERNEL(tml_reduce_sum_s16, tml_reduce_s16_params),
  KERNEL(tml_remap_s16, tml_remap_params),
  KERNEL(tml_argmax_s16, tml_argmax_params),
});
// clang-format on

}  // namespace

const KernelField* KernelRecord::find(std::string_view field) const {
  for (const KernelField& f : fields)
    if (f.name == field) return &f;
  return nullptr;
}

std::size_t KernelRecord::device_size() const {
  std::size_t end = 0, alignment = 1;
  const auto align = [](std::size_t at, std::size_t to) { return (at + to - 1) / to * to; };
  for (const KernelField& field : fields) {
    const std::size_t width = field.is_pointer ? 4 : field.element_size;
    alignment = std::max(alignment, width);
    end = align(end, width) + field.count * width;
  }
  return align(end, alignment);
}

const KernelInfo& find_kernel(std::string_view name) {
  for (const KernelInfo& kernel : kKernels)
    if (kernel.name == name) return kernel;
  internal_error("no kernel is called " + std::string(name));
}

std::span<const KernelInfo> all_kernels() { return kKernels; }

}  // namespace tinyml
