# The test bench and all of Verilator's C++ as one piece: half the time of compiling them one by one.
RUNTIME := $(shell verilator --getenv VERILATOR_ROOT)/include

bench: bench.cpp fir.v adder.v
	verilator --cc -Wno-fatal --Mdir verilated fir.v adder.v
	cat verilated/*.cpp bench.cpp $(RUNTIME)/verilated.cpp $(RUNTIME)/verilated_threads.cpp > all.cpp
	g++ -O0 -w -I verilated -I $(RUNTIME) -pthread -o bench all.cpp
