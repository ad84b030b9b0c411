// An echo pair with Boost.Asio, as its tutorials have it: asynchronous and synchronous.
//
//     asio async|sync N      prints its port, echoes to N connections, each until its end of file, and ends
//     asio ask PORT WORD     sends the word, reads it back, and closes, synchronously
//     asio ask-async PORT WORD
#include <boost/asio.hpp>
#include <array>
#include <iostream>
#include <memory>
#include <string>

using boost::asio::ip::tcp;
using boost::system::error_code;

struct session : std::enable_shared_from_this<session> {
    explicit session(tcp::socket taken) : socket(std::move(taken)) {}
    void read()
    {
        auto self = shared_from_this();
        socket.async_read_some(boost::asio::buffer(data), [this, self](error_code error, std::size_t got) {
            if (!error) write(got);
        });
    }
    void write(std::size_t bytes)
    {
        auto self = shared_from_this();
        boost::asio::async_write(socket, boost::asio::buffer(data, bytes), [this, self](error_code error, std::size_t) {
            if (!error) read();
        });
    }
    tcp::socket socket;
    std::array<char, 1024> data{};
};

static void accept_next(tcp::acceptor &acceptor, int left)
{
    if (left == 0) return;
    acceptor.async_accept([&acceptor, left](error_code error, tcp::socket socket) {
        if (!error) std::make_shared<session>(std::move(socket))->read();
        accept_next(acceptor, left - 1);
    });
}

static void serve(tcp::acceptor &acceptor, int connections)
{
    for (int i = 0; i < connections; i++) {
        tcp::socket socket = acceptor.accept();
        std::array<char, 1024> data;
        error_code error;
        for (std::size_t got; (got = socket.read_some(boost::asio::buffer(data), error));) boost::asio::write(socket, boost::asio::buffer(data, got));
    }
}

static void ask(boost::asio::io_context &io, int port, std::string word)
{
    tcp::socket socket(io);
    socket.connect({boost::asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
    boost::asio::write(socket, boost::asio::buffer(word));
    boost::asio::read(socket, boost::asio::buffer(word));
}

static void ask_async(boost::asio::io_context &io, int port, std::string word)
{
    tcp::socket socket(io);
    socket.async_connect({boost::asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)}, [&](error_code) {
        boost::asio::async_write(socket, boost::asio::buffer(word), [&](error_code, std::size_t) {
            boost::asio::async_read(socket, boost::asio::buffer(word), [](error_code, std::size_t) {});
        });
    });
    io.run();
}

int main(int argc, char **argv)
{
    boost::asio::io_context io;
    const std::string what = argc > 2 ? argv[1] : "";
    if (what == "ask" && argc == 4) {
        ask(io, std::stoi(argv[2]), argv[3]);
    } else if (what == "ask-async" && argc == 4) {
        ask_async(io, std::stoi(argv[2]), argv[3]);
    } else if ((what == "sync" || what == "async") && argc == 3) {
        tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), 0});
        std::cout << acceptor.local_endpoint().port() << std::endl;
        if (what == "sync") {
            serve(acceptor, std::stoi(argv[2]));
        } else {
            accept_next(acceptor, std::stoi(argv[2]));
            io.run();
        }
    } else {
        std::cerr << "usage: asio async|sync N, or ask|ask-async PORT WORD\n";
        return 2;
    }
    return 0;
}
