# cmake -DFOLDER=docs -DOUTPUT=file.c -P EmbedPages.cmake: the pages of FOLDER/{findings,timers,states,evidence} as C arrays (see src/pages/pages.h).
set(arrays "")
set(rows "")
set(count 0)
foreach(kind findings timers states evidence)
  string(TOUPPER ${kind} KIND)
  file(GLOB files ${FOLDER}/${kind}/*.md)
  set(names "")
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    list(APPEND names ${name})
  endforeach()
  list(SORT names) # without the ending, which would stand between "fast-open" and "fast-open-cookie"
  foreach(name IN LISTS names)
    file(READ ${FOLDER}/${kind}/${name}.md hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "(char)0x\\1," bytes "${hex}")
    string(APPEND arrays "static const char text_${count}[] = {${bytes}0};\n")
    string(APPEND rows "    {PAGES_${KIND}, \"${name}\", text_${count}},\n")
    math(EXPR count "${count} + 1")
  endforeach()
endforeach()
file(WRITE ${OUTPUT} "/* Made from the folders of pages. */\n#include \"pages/pages.h\"\n\n"
  "extern const struct page pages_entries[];\nextern const size_t pages_count;\n${arrays}"
  "const struct page pages_entries[] = {\n${rows}};\nconst size_t pages_count = ${count};\n")
