# Optional parts. What is found is built in (or as a loadable module beside the program); what is missing is
# replaced by a stub file, and `tundish version` says so. No source file has an #ifdef for them.
#
# Sets TUNDISH_PART_SOURCES_<folder>, TUNDISH_PART_LIBRARIES_<folder> and TUNDISH_PARTS_TEXT.

set(TUNDISH_PARTS_TEXT "")
macro(tundish_say_part name text)
    string(APPEND TUNDISH_PARTS_TEXT "${name}\\t${text}\\n")
    message(STATUS "part ${name}: ${text}")
endmacro()

# The CPU's variants: one file a CPU level, chosen at run time; each with the flags of its level. Under AddressSanitizer a level's
# files take minutes each with every check in them, so there they check addresses alone, by calls; the portable level of the same
# sources has all checks.
set(level_checks "")
if(TUNDISH_SANITIZE MATCHES "address" AND CMAKE_C_COMPILER_ID STREQUAL "Clang")
    set(level_checks -fno-sanitize=undefined,fuzzer-no-link -mllvm -asan-instrumentation-with-call-threshold=0)
endif()
file(GLOB cpu CONFIGURE_DEPENDS kernels/cpu/*.c)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(FILTER cpu EXCLUDE REGEX "variants_other")
    set(avx2 ${level_checks} -mavx2 -mfma -mf16c)
    set(avx512 ${avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl)
    file(GLOB files CONFIGURE_DEPENDS kernels/cpu/avx2_*.c)
    set_source_files_properties(${files} PROPERTIES COMPILE_OPTIONS "${avx2}")
    file(GLOB files CONFIGURE_DEPENDS kernels/cpu/avx512_*.c)
    set_source_files_properties(${files} PROPERTIES COMPILE_OPTIONS "${avx512}")
    file(GLOB files CONFIGURE_DEPENDS kernels/cpu/avx512bf16_*.c)
    set_source_files_properties(${files} PROPERTIES COMPILE_OPTIONS "${avx512};-mavx512bf16")
else()
    list(FILTER cpu EXCLUDE REGEX "variants_x86|/avx[^/]*$")
endif()

# The scanners of the pre-tokenizer likewise.
file(GLOB scan CONFIGURE_DEPENDS tokenize/pretok/levels/*.c)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(FILTER scan EXCLUDE REGEX "levels_other")
    set(avx2 -mavx2 -mbmi -mbmi2 -mpopcnt)
    set_source_files_properties(tokenize/pretok/levels/avx2_scan.c PROPERTIES COMPILE_OPTIONS "${avx2}")
    set_source_files_properties(tokenize/pretok/levels/avx512_scan.c PROPERTIES COMPILE_OPTIONS
        "${avx2};-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512vbmi;-mavx512vbmi2")
else()
    list(FILTER scan EXCLUDE REGEX "levels_x86|/avx[^/]*$")
endif()
list(APPEND TUNDISH_PART_SOURCES_tokenize ${scan})

# The bits of curate's scan of words likewise.
file(GLOB space CONFIGURE_DEPENDS curate/text/levels/*.c)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(FILTER space EXCLUDE REGEX "levels_other")
    set_source_files_properties(curate/text/levels/avx2_space.c PROPERTIES COMPILE_OPTIONS "-mavx2;-mpopcnt;-mbmi")
else()
    list(FILTER space EXCLUDE REGEX "levels_x86|/avx[^/]*$")
endif()
list(APPEND TUNDISH_PART_SOURCES_curate ${space})

# oneDNN: GEMM on CPUs with AVX-512 (kernels/cpu/onednn/). libgomp is what Debian's oneDNN runs on.
option(TUNDISH_ONEDNN "use oneDNN if it is there" ON)
find_path(DNNL_INCLUDE dnnl.h)
find_library(DNNL_LIBRARY dnnl)
find_library(GOMP_LIBRARY NAMES gomp libgomp.so.1)
if(TUNDISH_ONEDNN AND DNNL_INCLUDE AND DNNL_LIBRARY AND GOMP_LIBRARY)
    list(APPEND cpu kernels/cpu/onednn/gemm_onednn.c)
    list(APPEND TUNDISH_PART_LIBRARIES_kernels ${DNNL_LIBRARY} ${GOMP_LIBRARY})
    tundish_say_part(onednn "in")
else()
    list(APPEND cpu kernels/cpu/onednn/gemm_onednn_none.c)
    tundish_say_part(onednn "missing: matrix products are our own")
endif()
list(APPEND TUNDISH_PART_SOURCES_kernels ${cpu})

# CUDA and NCCL: looked for, so that `tundish version` can say what is there; there are no kernels for them yet.
list(APPEND TUNDISH_PART_SOURCES_kernels kernels/cuda/cuda_none.c)
find_package(CUDAToolkit QUIET)
if(CUDAToolkit_FOUND)
    tundish_say_part(cuda "toolkit ${CUDAToolkit_VERSION} found, no CUDA kernels in this version")
else()
    tundish_say_part(cuda "missing: no CUDA kernels in this version")
endif()
find_path(NCCL_INCLUDE nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
find_library(NCCL_LIBRARY nccl HINTS ${CUDAToolkit_LIBRARY_DIR})
if(NCCL_INCLUDE AND NCCL_LIBRARY)
    tundish_say_part(nccl "library found, not used in this version")
else()
    tundish_say_part(nccl "missing, not used in this version")
endif()

# MPI: a module of its own, opened only under a launcher (comm/comm.c)
find_package(MPI COMPONENTS C QUIET)
if(MPI_C_FOUND)
    add_library(tundish_mpi MODULE comm/mpi/comm_mpi.c)
    target_link_libraries(tundish_mpi PRIVATE MPI::MPI_C)
    set_target_properties(tundish_mpi PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
    install(TARGETS tundish_mpi LIBRARY DESTINATION lib/tundish)
    tundish_say_part(mpi "in (tundish_mpi.so, MPI ${MPI_C_VERSION})")
else()
    tundish_say_part(mpi "missing: one rank only")
endif()
