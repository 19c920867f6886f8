"""Names of the columns that the kernels read and write.

A kernel takes plain ``int64`` arrays; these constants say which entry is which.  They are ordinary integers, so Numba
freezes them at compile time.
"""

# One controller (a decoded design), shape (10,).  Enumerated parameters hold the index of their value in DESIGN_SPACE order.
(
    PAGE_POLICY,
    SCHEDULER,
    SCHEDULER_BUFFER,
    REQUEST_BUFFER_SIZE,
    RESP_QUEUE,
    REFRESH_POLICY,
    REFRESH_MAX_POSTPONED,
    REFRESH_MAX_PULLEDIN,
    ARBITER,
    MAX_ACTIVE_TRANSACTIONS,
) = range(10)

OPEN, OPEN_ADAPTIVE, CLOSED, CLOSED_ADAPTIVE = range(4)  # PAGE_POLICY
FIFO, FRFCFS_GRP, FRFCFS = range(3)  # SCHEDULER
BANKWISE, READ_WRITE, SHARED = range(3)  # SCHEDULER_BUFFER
RESP_FIFO, RESP_REORDER = range(2)  # RESP_QUEUE
NO_REFRESH, ALL_BANK = range(2)  # REFRESH_POLICY
ARBITER_SIMPLE, ARBITER_FIFO, ARBITER_REORDER = range(3)  # ARBITER

# What one simulation yields, shape (NUM_OUTCOMES,) int64.  Times in ps, residencies in memory-clock cycles.
(
    TOTAL_PS,  # when the player received its last response
    SERVED,  # responses that the controller had released by then
    IDLE_PS,  # time during which the controller held no transaction
    NUM_ACT,  # power-model counts: what lies inside the power model's command list
    NUM_PRE,
    NUM_RD,
    NUM_WR,
    NUM_REF,
    ACTIVE_CYCLES,  # power model: some bank open
    PRECHARGED_CYCLES,  # power model: all banks closed
    ISSUED_PRE,  # commands as the controller issued them
    ISSUED_PREA,
    ISSUED_RDA,
    ISSUED_WRA,
    LATENCY_SUM_PS,  # over requests: from arrival at the arbiter to the response at the player
    LATENCY_MAX_PS,
) = range(16)
NUM_OUTCOMES = 16

# The memory as a kernel sees it, shape (NUM_TIMINGS,) int64: distances in memory-clock cycles unless said otherwise.
(
    TCK_PS,  # memory clock period, ps, rounded
    BANKS,  # all banks of the rank (groups included)
    BANKS_PER_GROUP,
    BURST,  # burst length / data rate
    RL,
    WL,
    RCD,
    RP,
    RAS,
    RC,
    RTP,
    WR,
    FAW,
    AL,
    RFC,
    REFI,
    CCD_S,  # other bank group (equal to CCD_L where there are no groups)
    CCD_L,  # same bank group
    RRD_S,
    RRD_L,
    WTR_S,
    WTR_L,
    READ_TO_WRITE,  # RD to WR, any bank
    AUTO_PRE_READ,  # power model: RDA to its hidden PRE
    READ_TAIL,  # power model: cycles counted after a final RD
    WRITE_TAIL,  # power model: cycles counted after a final WR
) = range(26)
NUM_TIMINGS = 26
