# Manual pages and completion scripts: the program writes them from its own tables, so it must run here. Not under a sanitizer,
# and not when built for another machine: such a build installs the program alone.
if(CMAKE_CROSSCOMPILING OR TUNDISH_SANITIZE)
    return()
endif()
set(share ${CMAKE_BINARY_DIR}/share)
add_custom_command(OUTPUT ${share}/man/man1/tundish.1 ${share}/tundish.bash ${share}/tundish.zsh ${share}/tundish.fish
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${share}
    COMMAND tundish man --all ${share}/man/man1
    COMMAND tundish completion bash > ${share}/tundish.bash
    COMMAND tundish completion zsh > ${share}/tundish.zsh
    COMMAND tundish completion fish > ${share}/tundish.fish
    DEPENDS tundish VERBATIM COMMENT "manual pages and completion scripts")
add_custom_target(share ALL DEPENDS ${share}/man/man1/tundish.1)
# absent when only the target `tundish` was built
install(DIRECTORY ${share}/man/man1 DESTINATION share/man OPTIONAL FILES_MATCHING PATTERN "*.1")
install(FILES ${share}/tundish.bash DESTINATION share/bash-completion/completions RENAME tundish OPTIONAL)
install(FILES ${share}/tundish.zsh DESTINATION share/zsh/site-functions RENAME _tundish OPTIONAL)
install(FILES ${share}/tundish.fish DESTINATION share/fish/vendor_completions.d OPTIONAL)
