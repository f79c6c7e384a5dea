"""What runs in a pod: answers HTTP and UDP on one port with its name and the client's address."""

import socket
import sys
import threading


def datagrams(name: str, address: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((address, port))
        while True:
            _, client = receiver.recvfrom(64)
            receiver.sendto(f"{name} {client[0]}".encode(), client)


def requests(name: str, address: str, port: int) -> None:
    with socket.create_server((address, port), backlog=64) as server:
        while True:
            connection, client = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(f"HTTP/1.0 200 OK\r\n\r\n{name} {client[0]}".encode())


if __name__ == "__main__":
    here = (sys.argv[1], sys.argv[2], int(sys.argv[3]))
    threading.Thread(target=datagrams, args=here, daemon=True).start()
    requests(*here)
