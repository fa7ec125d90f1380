# Firmware around a model that `edgetx compile MODEL --target BOARD -o EDGETX_MODEL` wrote.
set(EDGETX_MODEL "" CACHE PATH "A folder that edgetx compile wrote, for a microcontroller")
if(NOT EXISTS "${EDGETX_MODEL}/board/image.ld")
  message(FATAL_ERROR "EDGETX_MODEL='${EDGETX_MODEL}' is no compiled folder with a board: "
                      "edgetx compile MODEL --target BOARD --to c -o build/model")
endif()

# edgetx_firmware(NAME SOURCES...): an image NAME.elf of the sources, the model, and the board's start-up code.
function(edgetx_firmware name)
  file(GLOB model_sources "${EDGETX_MODEL}/c/*.c")
  file(GLOB board_sources "${EDGETX_MODEL}/board/*.c")
  add_executable(${name} ${ARGN} ${model_sources} ${board_sources})
  set_target_properties(${name} PROPERTIES SUFFIX ".elf" C_STANDARD 11)
  target_include_directories(${name} PRIVATE "${EDGETX_MODEL}/c" "${EDGETX_MODEL}/board")
  target_compile_options(${name} PRIVATE -O2 -g -Wall -Wextra -Werror -Wconversion)
  target_link_options(${name} PRIVATE -nostdlib -Wl,--gc-sections -Wl,--build-id=none
                                      -Wl,-T,${EDGETX_MODEL}/board/image.ld)
  target_link_libraries(${name} PRIVATE -lgcc)
endfunction()
