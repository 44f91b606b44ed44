#include <doctest/doctest.h>

#include <thread>

#include "chronotope/core/error.hpp"

using namespace chronotope;

TEST_CASE_TEMPLATE("every error is an Error and a runtime_error", E, ShapeError, DTypeError, BackendError, FileError, FormatError, DataError, ConfigError) {
  CHECK_THROWS_AS(throw E("text"), Error);
  CHECK_THROWS_AS(throw E("text"), std::runtime_error);
  CHECK_THROWS_WITH(throw E("text"), "text");
}

TEST_CASE("errors say in which module they were made") {
  CHECK(ModuleScope::path().empty());
  {
    const ModuleScope outer("decoder");
    const ModuleScope block("blocks", 3);
    {
      const ModuleScope inner("attn");
      CHECK(ModuleScope::path() == "decoder.blocks.3.attn");
      CHECK_THROWS_WITH(throw ShapeError("no"), "no in decoder.blocks.3.attn");
    }
    CHECK(ModuleScope::path() == "decoder.blocks.3");
    CHECK_THROWS_WITH(throw Error("no"), "no in decoder.blocks.3");
  }
  CHECK_THROWS_WITH(throw Error("no"), "no");
}

TEST_CASE("scopes close when an error passes through, and belong to one thread") {
  try {
    const ModuleScope scope("encoder");
    throw DataError("bad");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == "bad in encoder");
  }
  CHECK(ModuleScope::path().empty());
  const ModuleScope here("here");
  std::string other = "unset";
  std::thread([&] { other = ModuleScope::path(); }).join();
  CHECK(other.empty());
}
