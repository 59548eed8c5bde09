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
