// An echo pair in Go, which asks the kernel without a C library: N clients, each in a goroutine, and a server.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func ask(address string) {
	client, err := net.Dial("tcp4", address)
	must(err)
	fmt.Fprint(client, "word")
	_, err = io.ReadFull(client, make([]byte, 4))
	must(err)
	client.Close()
}

func main() {
	count, err := strconv.Atoi(os.Args[1])
	must(err)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	done := make(chan bool)
	for i := 0; i < count; i++ {
		go func() {
			ask(listener.Addr().String())
			done <- true
		}()
		server, err := listener.Accept()
		must(err)
		go func() {
			io.Copy(server, server)
			server.Close()
			done <- true
		}()
	}
	for i := 0; i < 2*count; i++ {
		<-done
	}
}
