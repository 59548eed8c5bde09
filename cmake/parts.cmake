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
find_path(DNNL_INCLUDE dnnl.h)
find_library(DNNL_LIBRARY dnnl)
if(DNNL_INCLUDE AND DNNL_LIBRARY)
    file(GLOB part CONFIGURE_DEPENDS kernels/cpu/onednn/gemm_onednn.c)
    list(APPEND TUNDISH_PART_LIBRARIES_kernels ${DNNL_LIBRARY})
    tundish_say_part(onednn "in")
else()
    file(GLOB part CONFIGURE_DEPENDS kernels/cpu/onednn/gemm_onednn_none.c)
    tundish_say_part(onednn "missing: GEMM is our own")
endif()
file(GLOB cpu CONFIGURE_DEPENDS kernels/cpu/*.c)
list(APPEND TUNDISH_PART_SOURCES_kernels ${part} ${cpu})
