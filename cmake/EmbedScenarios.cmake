# cmake -DFOLDER=scenarios -DOUTPUT=file.c -P EmbedScenarios.cmake: the texts of FOLDER/*.scn as C arrays (see src/lab/scenario/catalogue.h).
file(GLOB files ${FOLDER}/*.scn)
list(SORT files)
set(arrays "")
set(rows "")
set(count 0)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "(char)0x\\1," bytes "${hex}")
  string(APPEND arrays "static const char text_${count}[] = {${bytes}0};\n")
  string(APPEND rows "    {\"${name}\", text_${count}, sizeof(text_${count}) - 1},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUTPUT} "/* Made from the folder scenarios. */\n#include \"lab/scenario/catalogue.h\"\n\n"
  "extern const struct catalogue_entry catalogue_entries[];\nextern const size_t catalogue_count;\n${arrays}"
  "const struct catalogue_entry catalogue_entries[] = {\n${rows}    {0, 0, 0},\n};\nconst size_t catalogue_count = ${count};\n")
