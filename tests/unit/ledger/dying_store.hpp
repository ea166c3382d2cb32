// A store and its snapshots whose process dies at a chosen operation.
#pragma once

#include <optional>

#include "ledger/snapshots.hpp"

namespace quorate::ledger::test {

// The process dies at one operation, counted over the store and its snapshots: before it or after
// it took effect. Nothing works from then on.
struct Death {
  std::size_t operations = 0;
  std::optional<std::size_t> at;
  bool after = false;
  bool dead = false;

  template <class Operation>
  auto run(const Operation& operation) -> decltype(operation()) {
    const bool now = !dead && at && operations == *at;
    ++operations;
    if (dead || (now && !after)) {
      dead = true;
      return fail(Errc::io, "the process is dead");
    }
    auto out = operation();
    if (!now) return out;
    dead = true;
    return fail(Errc::io, "the process is dead");
  }
};

class DyingStore final : public KvStore {
 public:
  DyingStore(KvStore& inner, Death& death) : inner_(inner), death_(death) {}
  Result<Bytes> get(Family family, ByteView key) const override {
    return death_.run([&] { return inner_.get(family, key); });
  }
  Result<void> scan(Family family, ByteView prefix, ByteView from,
                    const std::function<bool(ByteView, ByteView)>& visit) const override {
    return death_.run([&] { return inner_.scan(family, prefix, from, visit); });
  }
  Result<void> write(const WriteBatch& batch, bool sync) override {
    return death_.run([&] { return inner_.write(batch, sync); });
  }

 private:
  KvStore& inner_;
  Death& death_;
};

class DyingSnapshots final : public Snapshots {
 public:
  DyingSnapshots(Snapshots& inner, Death& death) : inner_(inner), death_(death) {}
  Result<std::vector<Height>> list() const override {
    return death_.run([&] { return inner_.list(); });
  }
  Result<void> take(Height height) override {
    return death_.run([&] { return inner_.take(height); });
  }
  Result<std::unique_ptr<KvStore>> open(Height height) const override {
    return death_.run([&] { return inner_.open(height); });
  }
  Result<void> remove(Height height) override {
    return death_.run([&] { return inner_.remove(height); });
  }

 private:
  Snapshots& inner_;
  Death& death_;
};

}  // namespace quorate::ledger::test
