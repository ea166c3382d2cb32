// Something on a port that is taken for a node: answers every HTTP request with the bytes a test
// wants, or never. One request per connection; a thread of its own, which calls the handler.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace quorate::rpc::test {

class Impostor {
 public:
  // The whole request, head and body -> the bytes of the answer.
  using Handler = std::function<std::string(const std::string& request)>;
  // Without a handler it listens and never answers.
  explicit Impostor(Handler handler);
  // The same answer always; none = never.
  explicit Impostor(const std::string& answer);
  ~Impostor();
  Impostor(const Impostor&) = delete;
  Impostor& operator=(const Impostor&) = delete;

  const std::string& url() const { return url_; }

 private:
  void serve(const Handler& handler) const;

  int fd_;
  std::string url_;
  std::thread thread_;
};

// An HTTP answer with this body.
std::string http_ok(const std::string& body);

}  // namespace quorate::rpc::test
