# Optional parts. What is found is built in (or as a loadable module beside the program); what is missing is
# replaced by a stub file, and `tundish version` says so. No source file has an #ifdef for them.
#
# Sets TUNDISH_PART_SOURCES_<folder>, TUNDISH_PART_LIBRARIES_<folder> and TUNDISH_PARTS_TEXT.

set(TUNDISH_PARTS_TEXT "")
macro(tundish_say_part name text)
    string(APPEND TUNDISH_PARTS_TEXT "${name}\\t${text}\\n")
    message(STATUS "part ${name}: ${text}")
endmacro()

# oneDNN: GEMM on CPUs with AVX-512 (kernels/cpu/onednn/)
set(part kernels/cpu/onednn/gemm_onednn_none.c)
file(GLOB cpu CONFIGURE_DEPENDS kernels/cpu/*.c)
list(APPEND TUNDISH_PART_SOURCES_kernels ${part} ${cpu} kernels/cuda/cuda_none.c)
