// The page around the parts.

#include <string>

#include "chronotope/core/atomic_file.hpp"
#include "parts.hpp"
#include "text.hpp"

namespace chronotope {
namespace report {

std::string section(const std::string& heading, const std::string& body) {
  return body.empty() ? "" : "<section><h2>" + heading + "</h2>\n" + body + "</section>\n";
}

std::string figure(const std::string& caption, const std::string& drawing) {
  return drawing.empty() ? "" : "<figure><figcaption>" + escape(caption) + "</figcaption>" + drawing + "</figure>\n";
}

std::string facts_part(const ReportContent& content) {
  std::string items;
  for (const auto& [name, value] : content.facts)
    items += "<div><dt>" + escape(shorten(name, 80)) + "</dt><dd>" + escape(shorten(value, 400)) + "</dd></div>\n";
  return items.empty() ? "" : section("Facts", "<dl>" + items + "</dl>");
}

std::string config_part(const ReportContent& content) {
  if (content.config_json.empty()) return {};
  return "<details><summary>Config</summary><pre>" + escape(content.config_json) + "</pre></details>\n";
}

}  // namespace report

namespace {

// The policy makes the promise binding: nothing is loaded and nothing is run, whatever slipped through.
std::string head(const std::string& title) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
         "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>" +
         title + "</title>\n<style>\n" + report::style_sheet() + "</style>\n</head>\n";
}

}  // namespace

std::string render_report(const ReportContent& content) {
  const std::string title = content.title.empty() ? "Report" : report::escape(report::shorten(content.title, 200));
  return head(title) + "<body>\n<main>\n<h1>" + title + "</h1>\n" + report::verdict_part(content) +
         report::click_verdict_part(content) + report::accuracy_part(content) + report::clicks_part(content) +
         report::ablations_part(content) + report::tables_part(content) + report::curves_part(content) + report::forgetting_part(content) +
         report::occupancy_part(content) + report::map_part(content) + report::facts_part(content) + report::config_part(content) + "</main>\n</body>\n</html>\n";
}

void write_report(const std::string& path, const ReportContent& content) {
  write_file_atomically(path, render_report(content));
}

}  // namespace chronotope
